// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// ErrNone says that a program has nothing packed inside.
var ErrNone = errors.New("nothing is packed inside")

// ErrDamaged says that a payload is not what was packed.
var ErrDamaged = errors.New("what is packed inside is damaged")

// magic ends a release. Its last digit is the version of the layout.
const magic = "\x00slipway-payload1"

// trailerSize is length, sum and magic.
const trailerSize = 8 + sha256.Size + len(magic)

// payload is the compressed tar within a program.
type payload struct {
	file   io.ReaderAt
	offset int64
	size   int64
	sum    [sha256.Size]byte
}

// find reads the trailer of a program of the given size. It does not read the
// payload: verify does.
func find(file io.ReaderAt, size int64) (payload, error) {
	if size < int64(trailerSize) {
		return payload{}, ErrNone
	}
	trailer := make([]byte, trailerSize)
	if _, err := file.ReadAt(trailer, size-int64(trailerSize)); err != nil && !errors.Is(err, io.EOF) {
		return payload{}, fmt.Errorf("reading the trailer: %w", err)
	}
	if !bytes.HasSuffix(trailer, []byte(magic)) {
		return payload{}, ErrNone
	}
	length, room := binary.BigEndian.Uint64(trailer), uint64(size)-uint64(trailerSize)
	if length > room {
		return payload{}, fmt.Errorf("%w: it has %d bytes and should have %d", ErrDamaged, room, length)
	}
	p := payload{file: file, offset: int64(room - length), size: int64(length)}
	copy(p.sum[:], trailer[8:])
	return p, nil
}

func (p payload) trailer() []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(p.size))
	return append(append(out, p.sum[:]...), magic...)
}

func (p payload) name() string { return hex.EncodeToString(p.sum[:]) }

func (p payload) reader() io.Reader { return io.NewSectionReader(p.file, p.offset, p.size) }

// verify compares the content with the sum.
func (p payload) verify() error {
	hash := sha256.New()
	if _, err := io.Copy(hash, p.reader()); err != nil {
		return fmt.Errorf("reading the payload: %w", err)
	}
	if got := hash.Sum(nil); !bytes.Equal(got, p.sum[:]) {
		return fmt.Errorf("%w: its SHA-256 is %x… and should be %x…", ErrDamaged, got[:6], p.sum[:6])
	}
	return nil
}

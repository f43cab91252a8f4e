// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// Pack writes to out the program with the content of dir appended. A payload
// that the program has already is replaced. Equal input gives equal output:
// times, owners and the order of the directory do not count.
func Pack(out, program, dir string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+"-*")
	if err != nil {
		return fmt.Errorf("packing %s: %w", out, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("packing %s: %w", out, err)
		}
	}()
	werr := errors.Join(copyProgram(f, program), appendPayload(f, dir))
	if err := errors.Join(werr, f.Chmod(0o755), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), out)
}

func copyProgram(w io.Writer, program string) error {
	f, err := os.Open(program)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	switch old, err := find(f, size); {
	case err == nil:
		size = old.offset
	case !errors.Is(err, ErrNone):
		return fmt.Errorf("reading %s: %w", program, err)
	}
	_, err = io.Copy(w, io.NewSectionReader(f, 0, size))
	return err
}

func appendPayload(f *os.File, dir string) error {
	var p payload
	hash := sha256.New()
	counted := &counter{w: io.MultiWriter(f, hash)}
	compressor, err := zstd.NewWriter(counted, zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return err
	}
	if err := errors.Join(writeTar(compressor, dir), compressor.Close()); err != nil {
		return err
	}
	p.size = counted.n
	copy(p.sum[:], hash.Sum(nil))
	_, err = f.Write(p.trailer())
	return err
}

// writeTar relies on WalkDir going in lexical order.
func writeTar(w io.Writer, dir string) error {
	tw := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return writeEntry(tw, path, filepath.ToSlash(name), entry)
	})
	return errors.Join(err, tw.Close())
}

func writeEntry(tw *tar.Writer, path, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Mode: 0o644, Format: tar.FormatPAX}
	switch {
	case info.IsDir():
		header.Typeflag, header.Mode = tar.TypeDir, 0o755
		return tw.WriteHeader(header)
	case info.Mode().IsRegular():
		header.Typeflag, header.Size = tar.TypeReg, info.Size()
		if info.Mode()&0o111 != 0 {
			header.Mode = 0o755
		}
	case info.Mode().Type() == fs.ModeSymlink:
		return writeLink(tw, path, header)
	default:
		return fmt.Errorf("%s is a %s; only files, directories and links can be packed", path, info.Mode().Type())
	}
	if err := tw.WriteHeader(header); err != nil {
		return err
	}
	return copyFile(tw, path)
}

func writeLink(tw *tar.Writer, path string, header *tar.Header) error {
	target, err := os.Readlink(path)
	if err != nil {
		return err
	}
	header.Typeflag, header.Linkname = tar.TypeSymlink, filepath.ToSlash(target)
	if !staysInside(header) {
		return fmt.Errorf("%s links to %s, outside of the directory; copy the file instead", path, target)
	}
	return tw.WriteHeader(header)
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

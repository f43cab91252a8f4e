// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzFind: whatever the end of a file says, what is found lies within it.
func FuzzFind(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(magic))
	f.Add(append([]byte("a program"), payload{size: 9}.trailer()...))
	f.Add(payload{size: -1}.trailer())
	f.Add(payload{size: 1 << 40}.trailer())
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := find(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			if !errors.Is(err, ErrNone) && !errors.Is(err, ErrDamaged) {
				t.Fatalf("an error of no known kind: %v", err)
			}
			return
		}
		if p.offset < 0 || p.size < 0 || p.offset+p.size > int64(len(content)) {
			t.Fatalf("found %d bytes at %d of %d", p.size, p.offset, len(content))
		}
		if err := p.verify(); err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatalf("an error of no known kind: %v", err)
		}
	})
}

// FuzzReadTar: no name in a tar leads out of the directory.
func FuzzReadTar(f *testing.F) {
	f.Add("a", byte(tar.TypeReg), "", "b", byte(tar.TypeReg))
	f.Add("../a", byte(tar.TypeReg), "", "/b", byte(tar.TypeReg))
	f.Add("link", byte(tar.TypeSymlink), "..", "link/b", byte(tar.TypeReg))
	f.Add("dir", byte(tar.TypeDir), "", "dir/link/../../b", byte(tar.TypeLink))
	f.Fuzz(func(t *testing.T, first string, kind byte, target, second string, kind2 byte) {
		var content bytes.Buffer
		tw := tar.NewWriter(&content)
		for _, header := range []*tar.Header{
			{Name: first, Typeflag: kind, Linkname: target, Mode: 0o755},
			{Name: second, Typeflag: kind2, Linkname: target, Mode: 0o755},
		} {
			if tw.WriteHeader(header) != nil {
				return
			}
		}
		outside := t.TempDir()
		inside := filepath.Join(outside, "inside")
		if err := os.Mkdir(inside, 0o755); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(inside)
		if err != nil {
			t.Fatal(err)
		}
		_ = errors.Join(readTar(&content, root), root.Close())
		if entries, _ := os.ReadDir(outside); len(entries) != 1 {
			t.Fatalf("written outside: %v", entries)
		}
	})
}

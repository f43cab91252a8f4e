// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// extract writes the payload into an empty directory, durably. Nothing can be
// written outside of it, whatever the names in the tar are.
func (p payload) extract(dir string) error {
	decompressor, err := zstd.NewReader(p.reader())
	if err != nil {
		return err
	}
	defer decompressor.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	return errors.Join(readTar(decompressor, root), root.Close())
}

func readTar(r io.Reader, root *os.Root) error {
	for tr := tar.NewReader(r); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if err := readEntry(tr, header, root); err != nil {
			return fmt.Errorf("unpacking %s: %w", header.Name, err)
		}
	}
}

func readEntry(tr *tar.Reader, header *tar.Header, root *os.Root) error {
	name := filepath.FromSlash(path.Clean(header.Name))
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%w: the name leads outside", ErrDamaged)
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return errors.Join(root.MkdirAll(name, 0o755), root.Chmod(name, 0o755))
	case tar.TypeSymlink:
		if !staysInside(header) {
			return fmt.Errorf("%w: the link leads outside", ErrDamaged)
		}
		return root.Symlink(header.Linkname, name)
	case tar.TypeReg:
		return readFile(tr, header.FileInfo().Mode()&0o111 != 0, name, root)
	}
	return fmt.Errorf("%w: entry of type %q", ErrDamaged, header.Typeflag)
}

// readFile syncs each file because a directory that was renamed into the cache
// is believed ever after, also when the machine loses power right then.
func readFile(r io.Reader, executable bool, name string, root *os.Root) error {
	mode := fs.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	// Whatever the umask: the cluster's DNS server runs as nobody.
	err = f.Chmod(mode)
	if err == nil {
		_, err = io.Copy(f, r)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// staysInside says whether a link points to something in the directory.
func staysInside(link *tar.Header) bool {
	return !path.IsAbs(link.Linkname) && filepath.IsLocal(path.Join(path.Dir(path.Clean(link.Name)), link.Linkname))
}

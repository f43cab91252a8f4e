// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Unpack returns the directory below cache that holds what is packed inside the
// program, and makes it first if it is not there. The directory appears whole or
// not at all; several processes may call this at once. The error is ErrNone
// when nothing is packed inside and ErrDamaged when it is not what was packed.
func Unpack(program, cache string) (string, error) {
	f, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	p, err := find(f, info.Size())
	if err != nil {
		return "", fmt.Errorf("looking into %s: %w", program, err)
	}
	dir := filepath.Join(cache, p.name())
	if err := ensure(p, cache, dir); err != nil {
		return "", fmt.Errorf("unpacking %s into %s: %w", program, cache, err)
	}
	return dir, nil
}

func ensure(p payload, cache, dir string) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	if err := ours(cache); err != nil {
		return err
	}
	switch err := ours(dir); {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return unpackLocked(p, dir)
}

// unpackLocked holds the lock of this content while it looks again and unpacks.
// What a killed process left half done is removed.
func unpackLocked(p payload, dir string) error {
	lock, err := os.OpenFile(dir+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	if _, err := os.Lstat(dir); err == nil {
		return ours(dir)
	}
	if err := p.verify(); err != nil {
		return err
	}
	partial := dir + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(partial, 0o755), p.extract(partial)); err != nil {
		return errors.Join(err, os.RemoveAll(partial))
	}
	return os.Rename(partial, dir)
}

// ours refuses a directory into which somebody else may have put a program: it
// is going to be run, perhaps as root.
func ours(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	var stat unix.Stat_t
	if err := unix.Lstat(dir, &stat); err != nil {
		return &fs.PathError{Op: "lstat", Path: dir, Err: err}
	}
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is no directory; remove it", dir)
	case int(stat.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to user %d, who could change what runs; remove it or set XDG_CACHE_HOME", dir, stat.Uid)
	case info.Mode()&0o022 != 0:
		return fmt.Errorf("%s can be written by others; run: chmod go-w %s", dir, dir)
	}
	return nil
}

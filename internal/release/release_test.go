// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const program = "#!/bin/sh\necho slipway\n"

// packed makes a release of a small program and directory and returns its path.
func packed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "slipway"), program, 0o755)
	kube := filepath.Join(dir, "kube")
	write(t, filepath.Join(kube, "slipway-kube"), strings.Repeat("kube ", 50_000), 0o775)
	write(t, filepath.Join(kube, "cni", "ptp"), "ptp", 0o755)
	write(t, filepath.Join(kube, "NOTICE"), "", 0o600)
	if err := os.Symlink("slipway-kube", filepath.Join(kube, "runc")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "release")
	if err := Pack(out, filepath.Join(dir, "slipway"), kube); err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// listing maps each name in a directory to its mode and size or target.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if target, err := os.Readlink(path); err == nil {
			found[name] = "-> " + target
			return nil
		}
		info, err := os.Lstat(path)
		if err == nil {
			found[name] = info.Mode().String()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestUnpackGivesWhatPackTook(t *testing.T) {
	out, cache := packed(t), t.TempDir()
	dir, err := Unpack(out, cache)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"slipway-kube": "-rwxr-xr-x", "runc": "-> slipway-kube",
		"cni": "drwxr-xr-x", "cni/ptp": "-rwxr-xr-x", "NOTICE": "-rw-r--r--",
	}
	if diff := cmp.Diff(want, listing(t, dir)); diff != "" {
		t.Errorf("unpacked (-want +got):\n%s", diff)
	}
	content, _ := os.ReadFile(filepath.Join(dir, "slipway-kube"))
	if string(content) != strings.Repeat("kube ", 50_000) {
		t.Error("slipway-kube is not what was packed")
	}
	left, _ := filepath.Glob(filepath.Join(cache, "*"))
	if diff := cmp.Diff([]string{dir, dir + ".lock"}, left); diff != "" {
		t.Errorf("left in the cache (-want +got):\n%s", diff)
	}
}

func TestUnpackOnce(t *testing.T) {
	out, cache := packed(t), t.TempDir()
	first, err := Unpack(out, cache)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(first, "mark"), "", 0o600)
	second, err := Unpack(out, cache)
	if err != nil || second != first {
		t.Fatalf("second time: %s, %v; want %s", second, err, first)
	}
	if _, err := os.Stat(filepath.Join(second, "mark")); err != nil {
		t.Error("it was unpacked again")
	}
}

func TestUnpackAfterAKilledOne(t *testing.T) {
	out, cache := packed(t), t.TempDir()
	dir, err := Unpack(out, cache)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".partial"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir+".partial", "half"), "", 0o600)
	if _, err := Unpack(out, cache); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "half")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was half done is still there: %v", err)
	}
}

func TestUnpackConcurrently(t *testing.T) {
	out, cache := packed(t), t.TempDir()
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			dir, err := Unpack(out, cache)
			if err != nil {
				t.Error(err)
				return
			}
			if info, err := os.Stat(filepath.Join(dir, "slipway-kube")); err != nil || info.Size() != 250_000 {
				t.Errorf("a directory that is not whole: %v, %v", info, err)
			}
		})
	}
	group.Wait()
}

func TestUnpackRefuses(t *testing.T) {
	whole, err := os.ReadFile(packed(t))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(program)+10] ^= 1
	short := append(bytes.Clone(whole[:len(program)]), whole[len(whole)-trailerSize:]...)
	for _, c := range []struct {
		name    string
		content []byte
		want    error
	}{
		{"without payload", []byte(program), ErrNone},
		{"empty", nil, ErrNone},
		{"cut off", whole[:len(whole)-100], ErrNone},
		{"a changed byte", flipped, ErrDamaged},
		{"a missing part", append(bytes.Clone(whole[:len(program)+20]), whole[len(program)+40:]...), ErrDamaged},
		{"the trailer alone", short[len(program)-10:], ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, cache := filepath.Join(t.TempDir(), "slipway"), t.TempDir()
			write(t, file, string(c.content), 0o755)
			if _, err := Unpack(file, cache); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			left, _ := filepath.Glob(filepath.Join(cache, "*"))
			for _, name := range left {
				if !strings.HasSuffix(name, ".lock") {
					t.Errorf("left behind: %s", name)
				}
			}
		})
	}
}

func TestUnpackDistrustsTheCache(t *testing.T) {
	out, cache := packed(t), t.TempDir()
	dir, err := Unpack(out, cache)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Unpack(out, cache); err == nil || !strings.Contains(err.Error(), "chmod go-w "+dir) {
		t.Errorf("a directory that all may write: %v", err)
	}
}

func TestPackIsReproducible(t *testing.T) {
	a, _ := os.ReadFile(packed(t))
	b, _ := os.ReadFile(packed(t))
	if !bytes.Equal(a, b) {
		t.Error("two releases of the same input differ")
	}
	if !bytes.HasPrefix(a, []byte(program)) {
		t.Error("a release does not begin with its program")
	}
}

func TestPackReplacesAPayload(t *testing.T) {
	first := packed(t)
	again := filepath.Join(t.TempDir(), "again")
	if err := Pack(again, first, filepath.Join(filepath.Dir(first), "kube")); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(first)
	b, _ := os.ReadFile(again)
	if !bytes.Equal(a, b) {
		t.Errorf("packing a release again gives %d bytes, was %d", len(b), len(a))
	}
}

func TestPackRefusesLinksToTheOutside(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "slipway"), program, 0o755)
	for _, target := range []string{"/bin/true", "../slipway", "a/../../slipway"} {
		kube := t.TempDir()
		if err := os.Symlink(target, filepath.Join(kube, "runc")); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, "out")
		if err := Pack(out, filepath.Join(dir, "slipway"), kube); err == nil || !strings.Contains(err.Error(), "outside") {
			t.Errorf("link to %s: %v", target, err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".out-*")); len(left) > 0 {
			t.Errorf("left behind: %s", left)
		}
	}
}

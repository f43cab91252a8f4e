// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package refusals holds that whatever cannot be done is refused in one line
// that names the cause and what to do, and that nothing of it is half done.
package refusals

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"slipway.dev/slipway/test/e2e/rig"
)

// TestStart holds that a cluster which cannot start says why, and that no trace
// of it is left.
func TestStart(t *testing.T) {
	c := rig.New(t)
	port := listen(t, "127.0.0.1:0")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, refusal := range []struct {
		name  string
		args  []string
		words []string
	}{
		{"unknown flag", []string{"up", "--bogus"}, []string{"unknown flag: --bogus", "up --help"}},
		{"unknown verb", []string{"frobnicate"}, []string{"frobnicate", "--help"}},
		{"argument", []string{"up", "now"}, []string{`"now"`}},
		{"too many nodes", []string{"up", "--nodes", "1000"}, []string{"--nodes 1000", "1 to 64"}},
		{"nodes in words", []string{"up", "--nodes", "many"}, []string{"many"}},
		{"no address", []string{"up", "--listen", "nonsense"}, []string{`--listen "nonsense"`, "127.0.0.1:8484"}},
		{"no port", []string{"up", "--api-port", "70000"}, []string{"--api-port 70000"}},
		{"port taken", []string{"up", "--listen", port}, []string{port, "is in use by", "pid", "--listen"}},
		{"data in a file", []string{"up", "--data-dir", file}, []string{file}},
		{"data in the root", []string{"up", "--data-dir", "/"}, []string{"--data-dir", "/var/lib/slipway"}},
		{"status of nothing", []string{"status"}, []string{"no cluster in " + c.Data, "slipway up"}},
		{"image on nothing", []string{"image", "ls"}, []string{"no cluster in " + c.Data, "slipway up"}},
		{"kubectl on nothing", []string{"kubectl", "get", "pods"}, []string{"no cluster in " + c.Data, "slipway up"}},
		{"reset of nothing", []string{"reset", "--yes"}, []string{"no cluster in " + c.Data}},
	} {
		for _, detach := range []bool{false, true} {
			args := refusal.args
			if args[0] != "up" && detach {
				continue
			}
			if detach {
				args = append(args, "--detach")
			}
			t.Run(strings.Join(append([]string{refusal.name}, args[len(refusal.args):]...), " "), func(t *testing.T) {
				c.Refuses(t, refusal.words, args...)
				if _, err := os.Stat(c.Data); err == nil {
					left, _ := filepath.Glob(filepath.Join(c.Data, "*"))
					t.Errorf("the data directory was made, with %v in it", left)
				}
			})
		}
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "not a directory" {
		t.Errorf("the file that was given as a directory now holds %q: %v", content, err)
	}
}

// TestPortOfTheAPIServer holds that somebody else's port of that number is
// named, whichever address it is on.
func TestPortOfTheAPIServer(t *testing.T) {
	c := rig.New(t)
	_, port, err := net.SplitHostPort(listen(t, "0.0.0.0:0"))
	if err != nil {
		t.Fatal(err)
	}
	c.Refuses(t, []string{":" + port, "is in use by", "pid", "--api-port"}, "up", "--listen", c.FrontDoor, "--api-port", port)
}

func listen(t *testing.T, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// TestSmallDisk holds that a cluster does not begin what the disk cannot hold.
func TestSmallDisk(t *testing.T) {
	c := rig.NewIn(t, memoryDisk(t, "size=200m"))
	c.Refuses(t, []string{"disk", "GiB free", "--data-dir"}, "up")
	if c.Exists() {
		t.Error("a cluster was made")
	}
}

// memoryDisk mounts a file system of a size, and unmounts it when the test ends.
func memoryDisk(t *testing.T, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	dir, err := os.MkdirTemp("/var/tmp", "disk-") //nolint:usetesting // it is unmounted before it is removed
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
		_ = os.Remove(dir)
	})
	return dir
}

// TestNobody holds that somebody who is not root is told so by every verb that
// needs root.
func TestNobody(t *testing.T) {
	c := rig.New(t)
	// A copy that anybody may run, wherever this checkout lies.
	bin, err := os.MkdirTemp("/var/tmp", "slipway-nobody-") //nolint:usetesting // others may not enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(bin) })
	if out, err := exec.Command("cp", "-r", filepath.Dir(c.Program())+"/.", bin).CombinedOutput(); err != nil {
		t.Fatalf("copying the programs: %v: %s", err, out)
	}
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"up"}, {"up", "--detach"}} {
		cmd := exec.Command(filepath.Join(bin, "slipway"), args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SLIPWAY_DATA_DIR=" + c.Data, "HOME=/nonexistent"}
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		rig.Refused(t, rig.RunCommand(t, cmd), "root")
	}
	if _, err := os.Stat(c.Data); err == nil {
		t.Error("the data directory was made")
	}
}

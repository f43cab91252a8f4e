// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// lock makes this process the only supervisor of the data directory.
func lock(c *cluster.Cluster) (*os.File, error) {
	if err := os.MkdirAll(c.DataDir, 0o711); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	f, owner, err := hold(c.Lock(), fmt.Sprint(os.Getpid()))
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("a cluster is already running on %s (supervisor pid %s); see \"slipway status\", give it another node with \"slipway node add NAME\", end it with \"slipway down\"", c.DataDir, owner)
	}
	return f, err
}

// Vacant says who runs a cluster on the data directory, if anybody does.
func Vacant(dataDir string) error {
	c := &cluster.Cluster{DataDir: dataDir}
	// What cannot be looked at is refused later, with the reason.
	if _, err := os.Stat(c.Lock()); err == nil {
		f, err := lock(c)
		if err != nil {
			return err
		}
		return f.Close()
	}
	return nil
}

// lockNetwork makes this cluster the only one in its network namespace: the
// service proxy's table of rules has one name, so two would undo each other's.
func lockNetwork(c *cluster.Cluster) (*os.File, error) {
	var ns unix.Stat_t
	if err := unix.Stat("/proc/self/ns/net", &ns); err != nil {
		return nil, fmt.Errorf("looking at the network namespace: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(c.RunDir), 0o711); err != nil {
		return nil, fmt.Errorf("making %s: %w", filepath.Dir(c.RunDir), err)
	}
	path := filepath.Join(filepath.Dir(c.RunDir), fmt.Sprintf("net-%d.lock", ns.Ino))
	f, owner, err := hold(path, c.DataDir)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("another cluster is running on this machine, on %s; end it with \"slipway down --data-dir %s\", or start this one in a network namespace of its own", owner, owner)
	}
	return f, err
}

// hold locks a file until it is closed and writes into it who holds it. When
// somebody else does, the error is EWOULDBLOCK and owner is who.
func hold(path, self string) (f *os.File, owner string, err error) {
	for {
		f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, "", fmt.Errorf("opening the lock: %w", err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			content, _ := os.ReadFile(path)
			return nil, strings.TrimSpace(string(content)), errors.Join(err, f.Close())
		}
		if isAt(f, path) {
			break
		}
		_ = f.Close()
	}
	if err := f.Truncate(0); err != nil {
		return nil, "", errors.Join(err, f.Close())
	}
	if _, err := f.WriteString(self); err != nil {
		return nil, "", errors.Join(err, f.Close())
	}
	return f, "", nil
}

// isAt says that an open file is the one at the path: whoever held it before
// may have removed it meanwhile.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(open, there)
}

// letGo removes a lock of lockNetwork's, and its directory if nothing else is in
// there, and closes it.
func letGo(f *os.File) error {
	err := os.Remove(f.Name())
	_ = os.Remove(filepath.Dir(f.Name()))
	return errors.Join(err, f.Close())
}

// predecessorLimit is how long processes of a killed supervisor may take to end.
const predecessorLimit = 30 * time.Second

// awaitPredecessors returns when every process that a killed supervisor left
// has ended and let go of its lock, and so of its ports.
func awaitPredecessors(c *cluster.Cluster) error {
	locks, err := filepath.Glob(filepath.Join(c.RunDir, "*.lock"))
	if err != nil {
		return err
	}
	deadline := time.NewTimer(predecessorLimit)
	defer deadline.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for _, path := range locks {
		for held(path) {
			select {
			case <-ticker.C:
			case <-deadline.C:
				return fmt.Errorf("a process of the former supervisor does not end (it holds %s); find it with \"fuser %s\" and kill it", path, path)
			}
		}
	}
	return nil
}

func held(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil
}

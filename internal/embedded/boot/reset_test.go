// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"os"
	"path/filepath"
	"testing"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/journal"
)

// TestRemoveDataSparesWhatIsNotOurs holds the worst that a reset could do: a
// data directory that was somebody's before.
func TestRemoveDataSparesWhatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	c := &cluster.Cluster{DataDir: filepath.Join(dir, "home"), RunDir: filepath.Join(dir, "run", "x")}
	for _, path := range []string{"home/thesis.txt", "home/nodes/node-0/f", "home/cluster.json", "home/volumes/pvc/f", "run/x/s"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeData(c); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0] != filepath.Join(dir, "home/thesis.txt") {
		t.Errorf("left are %v, want thesis.txt alone", left)
	}
}

// TestUndoneInALine: however much it was.
func TestUndoneInALine(t *testing.T) {
	sysctl := journal.Entry{Kind: journal.Sysctl}
	for want, entries := range map[string][]journal.Entry{
		"removed the cluster in /d with its data":                                                              nil,
		"removed the cluster in /d with its data, and undid what it changed on this machine: 1 link, 2 sysctl": {sysctl, {Kind: journal.Link}, sysctl},
	} {
		if got := undone("/d", entries); got != want {
			t.Errorf("says %q, want %q", got, want)
		}
	}
}

func TestShapeIsChecked(t *testing.T) {
	for name, shape := range map[string]Shape{
		"root":          {DataDir: "/"},
		"relative":      {DataDir: "data"},
		"too many":      {DataDir: "/d", Nodes: cluster.MaxNodes + 1},
		"negative":      {DataDir: "/d", Nodes: -1},
		"not a port":    {DataDir: "/d", APIPort: 70000},
		"not host:port": {DataDir: "/d", FrontDoor: "nonsense"},
	} {
		if err := shape.check(); err == nil {
			t.Errorf("%s: check() = nil, want an error", name)
		}
	}
	if err := (Shape{DataDir: "/var/lib/slipway", Nodes: 3, FrontDoor: "127.0.0.1:8484"}).check(); err != nil {
		t.Error(err)
	}
}

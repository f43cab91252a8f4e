// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/journal"
	"slipway.dev/slipway/internal/embedded/network"
)

// Reset undoes everything that the cluster of a data directory did to the
// machine, and removes its data. The cluster must not be running. It can be
// repeated: a step that fails is reported, the others are carried out, and the
// journal keeps what is still to do. It reports each step, and returns in a line
// what was done.
func Reset(dataDir string, report func(string)) (string, error) {
	c := &cluster.Cluster{DataDir: dataDir, RunDir: cluster.RunDirOf(dataDir), ID: cluster.IDOf(dataDir)}
	if !cluster.HasData(dataDir) {
		return "", fmt.Errorf("there is no cluster in %s; name its directory with --data-dir", dataDir)
	}
	held, err := lock(c)
	if err != nil {
		return "", err
	}
	defer held.Close()
	// Some of what is undone has one name on every machine, and would be undone
	// under the feet of a cluster that runs.
	alone, err := lockNetwork(c)
	if err != nil {
		return "", err
	}
	defer func() { _ = letGo(alone) }()
	j, err := journal.Open(c.Journal())
	if err != nil {
		return "", err
	}
	report("removing containers")
	if err := errors.Join(endContainers(c), unmountBelow(c.RunDir), unmountBelow(c.DataDir)); err != nil {
		return "", fmt.Errorf("%w; mend that and run \"slipway reset\" again", err)
	}
	var errs []error
	entries := j.Backwards()
	for _, entry := range entries {
		report(doing(entry))
		if err := undo(entry); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, j.Forget(entry))
	}
	if err := errors.Join(errs...); err != nil {
		return "", fmt.Errorf("%w; mend that and run \"slipway reset\" again", err)
	}
	report("removing data in " + dataDir)
	return undone(dataDir, entries), removeData(c)
}

// undone says what was: the data, and how many changes of each kind to the machine.
func undone(dataDir string, entries []journal.Entry) string {
	counts := map[journal.Kind]int{}
	for _, e := range entries {
		counts[e.Kind]++
	}
	text := "removed the cluster in " + dataDir + " with its data"
	if len(counts) == 0 {
		return text
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return text + ", and undid what it changed on this machine: " + strings.Join(kinds, ", ")
}

// removeData removes the cluster's own files. The directory may have been
// somebody's before and hold other things: it goes only if it is then empty.
func removeData(c *cluster.Cluster) error {
	errs := []error{os.RemoveAll(c.RunDir)}
	for _, name := range c.Files() {
		errs = append(errs, os.RemoveAll(filepath.Join(c.DataDir, name)))
	}
	_ = os.Remove(c.DataDir) // fails, rightly, when something else is in there
	return errors.Join(errs...)
}

func doing(e journal.Entry) string {
	verb := "removing"
	if e.Kind == journal.Sysctl {
		verb = "restoring"
	}
	return fmt.Sprintf("%s %s %s", verb, e.Kind, e.Name)
}

func undo(e journal.Entry) error {
	switch e.Kind {
	case journal.Cgroup:
		return removeCgroup(e.Name)
	default:
		return network.Undo(e)
	}
}

func endContainers(c *cluster.Cluster) error {
	return endAll(func() []int { return append(shims(c.RunDir), cgroupProcesses("/slipway-"+c.ID)...) })
}

// endLimit is how long killed processes may take to be gone.
const endLimit = 20 * time.Second

// endAll kills processes and returns when there are none left.
func endAll(processes func() []int) error {
	deadline := time.NewTimer(endLimit)
	defer deadline.Stop()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		left := processes()
		if len(left) == 0 {
			return nil
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			return fmt.Errorf("processes %v do not end; look at them with \"ps\"", left)
		}
	}
}

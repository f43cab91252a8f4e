// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package journal records what an embedded cluster changes on its machine, so
// that "slipway reset" can undo that and nothing else.
//
// An entry is written, durably, before the change is made; undoing something
// that was not done after all is therefore no error. A thing that was there
// already is not recorded, and stays.
package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// Kind is what sort of thing was changed.
type Kind string

// What can be recorded.
const (
	// Sysctl is a kernel parameter: Name is its path, Value what it was.
	Sysctl Kind = "sysctl"
	// Link is a network link that was made.
	Link Kind = "link"
	// Netns is a named network namespace that was made.
	Netns Kind = "netns"
	// Dir is a directory that was made at a place that others use, too.
	Dir Kind = "dir"
	// Cgroup is a control group that was made, in every hierarchy.
	Cgroup Kind = "cgroup"
	// Table is an nftables table: Value is its family.
	Table Kind = "nft-table"
)

// Entry is one change.
type Entry struct {
	Kind  Kind   `json:"kind"`
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

// Journal is a list of changes in the order in which they were made.
type Journal struct {
	path string

	mu      sync.Mutex
	entries []Entry
}

// Open reads the journal at path; a missing file is an empty journal.
func Open(path string) (*Journal, error) {
	j := &Journal{path: path}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	if err := json.Unmarshal(content, &j.entries); err != nil {
		return nil, fmt.Errorf("reading the journal %s: %w; it lists what \"slipway reset\" undoes: restore it, or remove it to have the data removed and nothing undone", path, err)
	}
	return j, nil
}

// Record writes entries that are not in the journal yet. The first value
// recorded for a thing is the one that reset restores.
func (j *Journal) Record(entries ...Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	before := len(j.entries)
	for _, e := range entries {
		same := func(old Entry) bool {
			return old.Kind == e.Kind && old.Name == e.Name && (e.Kind == Sysctl || old.Value == e.Value)
		}
		if !slices.ContainsFunc(j.entries, same) {
			j.entries = append(j.entries, e)
		}
	}
	if len(j.entries) == before {
		return nil
	}
	return j.save()
}

// Forget drops an entry that was undone.
func (j *Journal) Forget(e Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = slices.DeleteFunc(j.entries, func(old Entry) bool { return old == e })
	return j.save()
}

// Backwards returns the entries, the last first: the order of undoing.
func (j *Journal) Backwards() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	entries := slices.Clone(j.entries)
	slices.Reverse(entries)
	return entries
}

func (j *Journal) save() error {
	content, err := json.MarshalIndent(j.entries, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the journal: %w", err)
	}
	return cluster.WriteFile(j.path, content, 0o600)
}

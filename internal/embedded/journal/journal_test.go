// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.json")
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	link := Entry{Kind: Link, Name: "slipway0"}
	off := Entry{Kind: Sysctl, Name: "ip_forward", Value: "0"}
	// What a second start finds is its own work, not what was there before.
	on := Entry{Kind: Sysctl, Name: "ip_forward", Value: "1"}
	if err := j.Record(off, link); err != nil {
		t.Fatal(err)
	}
	if err := j.Record(on, link); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Entry{link, off}, again.Backwards()); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	if err := again.Forget(link); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Entry{off}, again.Backwards()); diff != "" {
		t.Errorf("journal after Forget (-want +got):\n%s", diff)
	}
}

func TestOpenRefusesRubbish(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil {
		t.Error("Open = nil error for a file that is not a journal")
	}
}

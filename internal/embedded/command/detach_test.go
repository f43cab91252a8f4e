// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLastWords of a supervisor that ended: its last error, with all that it quotes.
func TestLastWords(t *testing.T) {
	over := errors.New("the supervisor ended")
	const earlier = "slipway: an earlier boot's\n"
	for written, want := range map[string]string{
		"": over.Error(),
		"server  0.10s\nslipway: node: it ended; its log is l\n  E1126 no disk\n  E1126 no node\n": "node: it ended; its log is l\n  E1126 no disk\n  E1126 no node",
		"slipway: upkeep: no\nslipway: no port\n":                                                  "no port",
		"panic: nil map\nexit status 2\n":                                                          "exit status 2",
	} {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte(earlier+written), 0o600); err != nil {
			t.Fatal(err)
		}
		log, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := lastWords(log, int64(len(earlier)), over); got.Error() != want {
			t.Errorf("of %q: %q, want %q", written, got, want)
		}
		_ = log.Close()
	}
}

// TestOneLine: errors that are joined share a line, what one of them quotes does not.
func TestOneLine(t *testing.T) {
	err := errors.Join(errors.New("it ended:\n  E1126 no disk\n  E1126 no node"), errors.New("pods stay"))
	if got, want := oneLine(err), "it ended:\n  E1126 no disk\n  E1126 no node; pods stay"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSaid(t *testing.T) {
	many := ""
	for i := range 12 {
		many += fmt.Sprintln("line", i)
	}
	for name, c := range map[string]struct {
		before, log string
		want        []string
	}{
		"nothing":            {},
		"nothing since":      {before: "E1126 an earlier run\n"},
		"no errors":          {log: many, want: strings.Split(strings.TrimSpace(many), "\n")[2:]},
		"errors of this run": {before: "E1126 an earlier run\n", log: many + "E1126 1\nW1126 2\nF1126 3\n", want: []string{"E1126 1", "F1126 3"}},
		"containerd's":       {log: "time=1 level=info msg=a\ntime=2 level=fatal msg=b\n", want: []string{"time=2 level=fatal msg=b"}},
		"etcd's":             {log: `{"level":"warn"}` + "\n" + `{"level":"fatal"}` + "\n", want: []string{`{"level":"fatal"}`}},
		"a panic's":          {log: "panic: nil map\n\ngoroutine 1 [running]:\n" + many, want: []string{"panic: nil map"}},
		"our own":            {log: many + "slipway: no disk\n" + many, want: []string{"slipway: no disk"}},
		"a long log":         {log: "E1126 long ago\n" + strings.Repeat("\n", saidRead) + "now", want: []string{"now"}},
		"a long line":        {log: strings.Repeat("x", 600), want: []string{strings.Repeat("x", 497) + "…"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte(c.before+c.log), 0o600); err != nil {
				t.Fatal(err)
			}
			want := ""
			for _, line := range c.want {
				want += "\n  " + line
			}
			if diff := cmp.Diff(want, said(path, int64(len(c.before)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := said(filepath.Join(t.TempDir(), "none"), 0); got != "" {
		t.Errorf("no file says %q", got)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"io"

	"slipway.dev/slipway/internal/embedded/control"
)

// table prints a line for each phase of the boot when it ends.
type table struct {
	out    io.Writer
	headed bool
}

func newTable(out io.Writer) *table { return &table{out: out} }

func (t *table) show(p control.Phase) {
	if !p.Done {
		return
	}
	if !t.headed {
		fmt.Fprintf(t.out, "%-20s %9s %9s\n", "PHASE", "AT", "TOOK")
		t.headed = true
	}
	end := p.Begin + p.Took
	if p.Error != "" {
		fmt.Fprintf(t.out, "%-20s %8.2fs %8.2fs  failed\n", p.Name, end.Seconds(), p.Took.Seconds())
		return
	}
	fmt.Fprintf(t.out, "%-20s %8.2fs %8.2fs\n", p.Name, end.Seconds(), p.Took.Seconds())
}

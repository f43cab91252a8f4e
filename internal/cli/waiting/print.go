// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package waiting

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"slipway.dev/slipway/internal/scheduler"
)

// Print the lines as a table.
func Print(out io.Writer, all []Line, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WAITS\tNAMESPACE\tPROJECT\tSIZE\tPRIORITY\tFOR\tREASON")
	for _, l := range all {
		name := strings.TrimPrefix(l.Name, "gang/")
		if l.More > 0 {
			name += fmt.Sprintf(" and %d more", l.More)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", name, l.Namespace, cmp.Or(l.Project, "-"), l.Size, l.Priority,
			duration.HumanDuration(now.Sub(l.Since)), scheduler.AsOf(l.Why, l.Promise, now))
	}
	return w.Flush()
}

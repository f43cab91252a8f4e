// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"slipway.dev/slipway/internal/cli/whatif"
	"slipway.dev/slipway/internal/simulate"
)

// print the answer as tables, with a column for the changed cluster if it is different.
func (w *whatIfAnswer) print(out io.Writer, different bool) error {
	fmt.Fprintf(out, "from %s on, by policy %s\n\n", w.Taken.UTC().Format(time.RFC3339), w.Policy)
	waits := slices.ContainsFunc(w.Trace, func(r simulate.Report) bool { return r.All.Unstarted > 0 })
	if len(w.Gangs) == 0 && waits {
		fmt.Fprintln(out, "nothing waits but jobs of the trace")
	} else if len(w.Gangs) == 0 {
		fmt.Fprintln(out, "nothing waits")
	} else if err := printFates(out, w.Gangs, different); err != nil {
		return err
	}
	if len(w.Trace) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	return printReports(out, w.Trace)
}

func printFates(out io.Writer, lines []whatif.Line, different bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if different {
		fmt.Fprintln(w, "GANG\tPROJECT\tSIZE\tAS IT IS\tTHEN\tWHY")
	} else {
		fmt.Fprintln(w, "GANG\tPROJECT\tSIZE\tSTARTS\tWHY")
	}
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t", l.Gang, cmp.Or(l.Project, "-"), l.Size, fateWords(l.Before))
		if different {
			fmt.Fprintf(w, "%s\t", fateWords(l.After))
		}
		fmt.Fprintln(w, reasonWords(l.Last()))
	}
	return w.Flush()
}

// reasonWords say why, and when that is so if it is not now.
func reasonWords(f *whatif.Fate) string {
	why, in := f.Reason()
	if in > 0 && why != "" {
		return whenWords(in) + ": " + why
	}
	return cmp.Or(why, "-")
}

func fateWords(f *whatif.Fate) string {
	if f == nil {
		return "-"
	}
	words := map[string]string{
		whatif.Running: "runs", whatif.Waits: "not in sight", whatif.Never: "never", whatif.Refused: "refused",
		whatif.Starts: "now",
	}[f.State]
	if f.State == whatif.Starts && f.In > 0 {
		words = "in " + seconds(float64(f.In))
	}
	if len(f.Stops) == 0 {
		return words
	}
	switch first := f.Stops[0]; {
	case f.State == whatif.Starts:
		return words + ", " + stopWords(f)
	case first.In > 0:
		return "runs, " + stopWords(f)
	}
	return stopWords(f)
}

// stopWords tell of the first stop, when the gang goes on, and how often it stops.
func stopWords(f *whatif.Fate) string {
	first := f.Stops[0]
	words := "loses a node "
	if first.GivesWay {
		words = "gives way "
	}
	words += whenWords(first.In)
	switch {
	case first.Again == nil && f.State == whatif.Never:
		words += ", never returns"
	case first.Again == nil:
		words += ", no return in sight"
	case *first.Again == first.In:
		words += ", goes on at once"
	default:
		words += ", goes on " + whenWords(*first.Again)
	}
	switch n := len(f.Stops); {
	case n > 1 && f.Stops[n-1].Again == nil:
		words += fmt.Sprintf(" (%d stops in all, no return in sight after the last)", n)
	case n > 1:
		words += fmt.Sprintf(" (%d stops in all)", n)
	}
	return words
}

func whenWords(in int64) string {
	if in <= 0 {
		return "now"
	}
	return "in " + seconds(float64(in))
}

func seconds(s float64) string { return duration.HumanDuration(time.Duration(s) * time.Second) }

// printReports side by side.
func printReports(out io.Writer, reports []simulate.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(what string, cell func(simulate.Report) string) {
		fmt.Fprint(w, what)
		for _, r := range reports {
			fmt.Fprintf(w, "\t%s", cell(r))
		}
		fmt.Fprintln(w)
	}
	percent := func(share float64) string { return fmt.Sprintf("%.1f %%", share*100) }
	heading := []string{"AS IT IS", "THEN"}
	fmt.Fprint(w, "WHILE THE TRACE COMES")
	for i := range reports {
		fmt.Fprintf(w, "\t%s", heading[i])
	}
	fmt.Fprintln(w)
	row("time that is counted", func(r simulate.Report) string { return "the first " + seconds(float64(r.To-r.From)) })
	row("used of "+reports[0].Resource, func(r simulate.Report) string { return percent(r.Utilisation) })
	row("lost by interruptions", func(r simulate.Report) string { return percent(r.Lost) })
	row("fairness (Jain's index)", func(r simulate.Report) string { return fmt.Sprintf("%.3f", r.Jain) })
	row("large gangs starved", func(r simulate.Report) string { return fmt.Sprint(len(r.Starved)) })
	row("gave way", func(r simulate.Report) string { return fmt.Sprint(r.Evictions) })
	for _, c := range reports[0].Classes {
		what := fmt.Sprintf("wait of %s of %s: mean, p95, max", jobsWord(c.Jobs), sizeWords(c.From, c.To))
		row(what, func(r simulate.Report) string { return waitOf(r, c.From, c.To) })
	}
	for _, s := range reports[0].Projects {
		name := s.Project
		if name == "" {
			name = "no project"
		}
		row("received of what it was due: "+name, func(r simulate.Report) string {
			if i := slices.IndexFunc(r.Projects, func(o simulate.Share) bool { return o.Project == s.Project }); i >= 0 && r.Projects[i].Fair > 0 {
				return percent(r.Projects[i].Received / r.Projects[i].Fair)
			}
			return "-"
		})
	}
	return w.Flush()
}

// waitOf the class of these sizes, which a report on another cluster may not have: gangs
// that are submitted come in one alone.
func waitOf(r simulate.Report, from, to int64) string {
	i := slices.IndexFunc(r.Classes, func(c simulate.Class) bool { return c.From == from && c.To == to })
	if i < 0 {
		return "-"
	}
	c := r.Classes[i]
	waits := fmt.Sprintf("%s, %s, %s", seconds(c.Mean), seconds(c.P95), seconds(c.Max))
	switch c.Unstarted {
	case 0:
		return waits
	case c.Jobs:
		return "none starts"
	}
	return fmt.Sprintf("at least %s; %d unstarted", waits, c.Unstarted)
}

// sizeWords say what jobs of a class ask for: those that ask for no devices are as large as they
// have pods.
func sizeWords(from, to int64) string {
	switch {
	case to == 1:
		return "1 device or pod"
	case from == to:
		return fmt.Sprintf("%d devices or pods", to)
	}
	return fmt.Sprintf("%d to %d devices or pods", from, to)
}

func jobsWord(n int) string {
	if n == 1 {
		return "1 job"
	}
	return fmt.Sprintf("%d jobs", n)
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler"
)

// starts says when a gang does that waits behind so many others, or why nobody knows.
func (f *Facts) starts(o *outline, name types.NamespacedName, answer scheduler.Answer, behind int) {
	switch {
	case answer.Start.IsZero():
		if why := f.unplanned(name, answer.Reason, behind); why != "" {
			o.say("%s", why)
		}
		return
	case answer.Start.After(f.Now):
		o.say("expected to start by %s", f.moment(answer.Start))
	default:
		o.say("was expected to start by %s, and is overdue", f.moment(answer.Start))
	}
	if after, sure := f.Decided.After(name); len(after) > 0 {
		o.below(func() {
			o.say("when these have ended: %s (%.0f %% sure)", some(f.named(after, name.Namespace), maxNames), 100*sure)
		})
	}
	f.lent(o, name)
}

// unplanned is why a gang has no promise of a start: it waits for a person, or for something
// whose end nobody knows. Empty where the reason for which it waits says all.
func (f *Facts) unplanned(name types.NamespacedName, reason *placement.Reason, behind int) string {
	code, project := placement.Code(""), ""
	if reason != nil {
		code, project = reason.Code, reason.Queue
	}
	switch code {
	case placement.NoQueue, placement.MakingRoom, scheduler.ReasonIncomplete:
		return ""
	case placement.NoNodes, placement.NodesUnavailable, placement.NoMatchingNode:
		return "does not start before there is a node that takes it; of one node: slipway why node/NAME"
	}
	more := ""
	if code == placement.QuotaExceeded && project != "" {
		more = "; with more quota it may start sooner: slipway kubectl edit project " + project
	}
	endless := f.endless(name, project)
	switch {
	case len(endless) == 1:
		return fmt.Sprintf("nobody knows when it starts: %s has no limit on how long it runs (slipway.dev/max-run-time)%s", endless[0], more)
	case len(endless) > 1:
		return fmt.Sprintf("nobody knows when it starts: %s have no limit on how long they run (slipway.dev/max-run-time)%s", list(endless), more)
	case behind > 0:
		return "nobody knows yet when it starts: only the first that wait are told" + more
	}
	return "nobody knows when it starts: of what has the room it is not known when it ends" + more
}

// list of names: "a, b and c", or the first few and how many more.
func list(names []string) string {
	if last := len(names) - 1; last > 0 && last < maxNames {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return some(names, maxNames)
}

// endless gangs are in the way of one, and nobody knows for how long they run: those of a
// project and of the ones below it, or all where none is named.
func (f *Facts) endless(of types.NamespacedName, project string) []string {
	var found []types.NamespacedName
	for _, name := range f.Decided.Endless(of) {
		if project == "" || f.below(f.Decided.Project(name), project) {
			found = append(found, name)
		}
	}
	return f.named(found, of.Namespace)
}

// below says that a project is another one, or below it.
func (f *Facts) below(project, above string) bool {
	for range f.Cluster.Projects {
		if project == above {
			return true
		}
		project = f.parent(project)
	}
	return false
}

func (f *Facts) parent(project string) string {
	for _, p := range f.Cluster.Projects {
		if p.Name == project {
			return p.Spec.Parent
		}
	}
	return ""
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// starts says when a gang does that waits, or why nobody knows.
func (f *Facts) starts(o *outline, name types.NamespacedName, answer scheduler.Answer) {
	switch {
	case answer.Start.IsZero():
		if why := f.unplanned(name, answer.Reason); why != "" {
			o.say("%s", why)
		}
		return
	case answer.Start.After(f.Now):
		o.say("expected to start by %s", f.moment(answer.Start))
	default:
		o.say("was expected to start by %s, and is overdue", f.moment(answer.Start))
	}
	if when := f.when(name, answer); when != "" {
		o.below(func() { o.say("%s", strings.TrimPrefix(when, ", ")) })
	}
	f.lent(o, name)
}

// when says what has ended by the start of a gang: what it was told of this start, as ps and queue
// say it, too. Whoever decides once more may find other places for it at the same moment.
func (f *Facts) when(name types.NamespacedName, answer scheduler.Answer) string {
	if g := f.gangOf(name); g != nil && g.Status.Promise != nil && g.Status.Promise.Time.Time.Equal(answer.Start) {
		if c := g.Status.Placed(); c != nil {
			if _, when, is := scheduler.CutStart(c.Message, g.Status.Promise); is {
				return when
			}
		}
	}
	return answer.When
}

// unplanned is why a gang has no promise of a start: it waits for a person, or for something
// whose end nobody knows. Empty where the reason for which it waits says all.
func (f *Facts) unplanned(name types.NamespacedName, reason *placement.Reason) string {
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
	case f.promises() && !f.besideStrangers(name):
		return "nobody knows yet when it starts: only the first that wait are told" + more
	}
	return "nobody knows when it starts: of what has the room it is not known when it ends" + more
}

// promises says that any gang has been promised a start.
func (f *Facts) promises() bool {
	return slices.ContainsFunc(f.Decided.Picture.Turns(), func(key string) bool {
		_, is := f.Decided.Picture.PlannedStart(key)
		return is
	})
}

// besideStrangers says that pods which others place, and which run for ever, have devices of those
// that a gang asks for.
func (f *Facts) besideStrangers(name types.NamespacedName) bool {
	g := f.gangOf(name)
	if g == nil {
		return false
	}
	asks := usesOf(g.Spec.PodSets)
	return slices.ContainsFunc(f.Cluster.Pods, func(p *corev1.Pod) bool {
		if p.Spec.NodeName == "" || snapshot.Ended(p) || p.Labels[slipwayv1.LabelGang] != "" || f.group(p) {
			return false
		}
		has := uses{}
		has.add(podset.Requests(p.Spec.DeepCopy()), f.Decided.Claimed(p))
		for resource, some := range has {
			if some && asks[resource] && placement.IsDevice(string(resource)) {
				return true
			}
		}
		return false
	})
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

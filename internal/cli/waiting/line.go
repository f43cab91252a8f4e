// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package waiting

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler"
)

// Line about what waits together.
type Line struct {
	// Name as "slipway why" takes it: gang/x, group/x or pod/x.
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// More pods than the one of the name wait for the same.
	More     int    `json:"more,omitempty"`
	Project  string `json:"project,omitempty"`
	Size     Size   `json:"size"`
	Priority int32  `json:"priority"`
	// Since it last had its places or, of one that never had, since it came.
	Since time.Time `json:"since"`
	// Reason is a word for it, Why a sentence.
	Reason string `json:"reason,omitempty"`
	Why    string `json:"why"`
	// Promise of a start; nil for none.
	Promise *slipwayv1.StartPromise `json:"promise,omitempty"`
}

// undecided is why what the scheduler has not looked at waits.
const undecided = "the scheduler has not decided yet; if that stays so see: slipway status"

// Gangs that wait, or have lost a part of their places.
func Gangs(gangs []slipwayv1.Gang, projects Projects) []Line {
	var all []Line
	for i := range gangs {
		g, l := &gangs[i], Line{Why: undecided}
		c := g.Status.Placed()
		switch {
		case g.DeletionTimestamp != nil, c != nil && c.Status == metav1.ConditionTrue:
			continue
		case c != nil:
			l.Reason, l.Why, l.Promise = c.Reason, cmp.Or(c.Message, c.Reason), g.Status.Promise
		}
		l.Name, l.Namespace, l.Project = "gang/"+g.Name, g.Namespace, cmp.Or(g.Spec.Project, projects[g.Namespace])
		l.Size, l.Priority, l.Since = SizeOf(g.Spec.PodSets), g.Spec.Priority, Since(g)
		all = append(all, l)
	}
	return all
}

// Since when a gang has lacked its places, as far as the scheduler has said; or since it was made.
func Since(g *slipwayv1.Gang) time.Time {
	if c := g.Status.Placed(); c != nil && !c.LastTransitionTime.IsZero() {
		return c.LastTransitionTime.Time
	}
	return g.CreationTimestamp.Time
}

// Pods that the scheduler binds and that have no Gang. Those of a group are one line, and
// so are those of a namespace that wait singly for the same.
func Pods(pods []corev1.Pod, projects Projects, claims *Claims) []Line {
	lines := map[[3]string]*Line{}
	for i := range pods {
		p := &pods[i]
		name := scheduler.GroupOf(p)
		if name == "" || p.Spec.NodeName != "" || p.DeletionTimestamp != nil || len(p.Spec.SchedulingGates) > 0 && p.Labels[slipwayv1.LabelHeld] == "" {
			continue
		}
		reason, why := unschedulable(p)
		key := [3]string{p.Namespace, name, ""}
		if strings.HasPrefix(name, "pod/") {
			key[1], key[2] = cmp.Or(slipwayv1.ProjectOf(p.Labels), projects[p.Namespace]), why
		}
		l := lines[key]
		if l == nil {
			l = &Line{Name: name, Namespace: p.Namespace, Project: cmp.Or(slipwayv1.ProjectOf(p.Labels), projects[p.Namespace]),
				Priority: ptr.Deref(p.Spec.Priority, 0), Since: p.CreationTimestamp.Time, Reason: reason, Why: why}
			lines[key] = l
		} else if strings.HasPrefix(name, "pod/") {
			l.More++
		}
		if l.Why == undecided {
			l.Reason, l.Why = reason, why // of a group not every pod is told at the same moment
		}
		if p.CreationTimestamp.Time.Before(l.Since) {
			l.Since = p.CreationTimestamp.Time
		}
		l.Size.Add(p, claims.Claimed(p))
	}
	var all []Line
	for _, l := range lines {
		all = append(all, *l)
	}
	return all
}

// unschedulable is what a pod that has no node was told.
func unschedulable(p *corev1.Pod) (reason, why string) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Reason, cmp.Or(c.Message, c.Reason)
		}
	}
	return "", undecided
}

// Sort lines, those first that wait longest.
func Sort(all []Line) {
	slices.SortFunc(all, func(a, b Line) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
}

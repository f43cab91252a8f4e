// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// How many pods of a group have turned out, of those that it takes to start. What must survive
// a restart is in the pods: the number that the group took when it started is written on each
// when it gets its place.

// annotations of a pod that gets its place.
func (e *errand) annotations() map[string]string {
	if e.least <= 1 {
		return nil
	}
	return map[string]string{slipwayv1.AnnotationStartedWith: strconv.Itoa(int(e.least))}
}

// startedWith is how many pods the group took to start, as its pods say that have places; the least
// of what they say, for those that came later may have been told of more. It is no more than
// the group takes now.
func (l *ledger) startedWith(g *group) int32 {
	least := l.least(g)
	for _, a := range g.pods {
		n, err := strconv.ParseInt(a.pod.Annotations[slipwayv1.AnnotationStartedWith], 10, 32)
		if err == nil && a.pod.Spec.NodeName != "" {
			least = min(least, int32(n))
		}
	}
	return least
}

// here are the pods of the group that have a node or have ended well.
func (l *ledger) here(g *group, c *crew) int32 {
	here := l.done(g)
	for _, m := range c.pods {
		if c.whereIs(m) != "" {
			here++
		}
	}
	return here
}

// span of a pod's life, from when it was made, in seconds.
type span struct{ made, ended int64 }

// spanOf a pod that has ended.
func spanOf(p *corev1.Pod) span {
	ended := int64(0)
	for _, s := range p.Status.ContainerStatuses {
		if t := s.State.Terminated; t != nil {
			ended = max(ended, t.FinishedAt.Unix())
		}
	}
	made := p.CreationTimestamp.Unix()
	return span{made, max(ended, made)}
}

// done are the pods of the group that have ended well in the run that goes on. A run that had all
// that it takes to start is over when its pods have ended: who comes after that under the same name
// starts anew.
func (l *ledger) done(g *group) int32 {
	succeeded := l.succeeded[g.key]
	if len(succeeded) == 0 {
		return 0
	}
	spans := slices.Collect(maps.Values(succeeded))
	lives := span{math.MaxInt64, math.MaxInt64} // the eldest of those that have not ended, whose run goes on
	for _, a := range g.pods {
		lives.made = min(lives.made, a.pod.CreationTimestamp.Unix())
	}
	if len(g.pods) > 0 {
		spans = append(spans, lives)
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.made, b.made), cmp.Compare(a.ended, b.ended)) })
	least, run, done, ends := l.least(g), int32(0), int32(0), int64(0)
	for _, s := range spans {
		if run >= least && s.made >= ends {
			run, done, ends = 0, 0, 0
		}
		if run, ends = run+1, max(ends, s.ended); s.ended < math.MaxInt64 {
			done++
		}
	}
	return done
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// pastEvery is how often the past usage of a project is written when nothing else of
// its status changes: what a scheduler that is killed forgets.
const pastEvery = 15 * time.Minute

// recall what projects used in the past, before the first decision.
func (l *ledger) recall(now time.Time) {
	l.picture.Elapse(now.Unix())
	for name, p := range l.projects {
		if past := p.object.Status.PastUsage; past != nil {
			for resource, mean := range past.Mean {
				l.picture.Recall(name, string(resource), amountOf(resource, mean), past.Time.Unix())
			}
		}
	}
}

// outdated says that the past usage of a project is to be written again.
func (l *ledger) outdated(p *slipwayv1.Project, now time.Time) bool {
	past := p.Status.PastUsage
	if past != nil && now.Sub(past.Time.Time) < pastEvery {
		return false
	}
	next := l.pastUsage(p.Name, now)
	if next == nil || past == nil {
		return next != past
	}
	return !maps.EqualFunc(next.Mean, past.Mean, alike)
}

// alike quantities differ by less than a hundredth.
func alike(a, b resource.Quantity) bool {
	x, y := a.AsApproximateFloat64(), b.AsApproximateFloat64()
	return math.Abs(x-y) <= max(x, y)/100
}

// pastUsage of a project itself; nil for one that used nothing worth to remember.
func (l *ledger) pastUsage(name string, now time.Time) *slipwayv1.PastUsage {
	past := &slipwayv1.PastUsage{Time: metav1.NewTime(now.Truncate(time.Second)), Mean: corev1.ResourceList{}}
	for resource, mean := range l.picture.Past(name) {
		past.Mean[corev1.ResourceName(resource)] = *quantityOf(corev1.ResourceName(resource), mean)
	}
	if len(past.Mean) == 0 {
		return nil
	}
	return past
}

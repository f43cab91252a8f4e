// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// pastEvery is how often the past of a project is written: what a scheduler that is
// killed forgets.
const pastEvery = 15 * time.Minute

// recall what projects used in the past, before the first decision.
func (l *ledger) recall(now time.Time) {
	l.picture.Elapse(now.Unix())
	for _, name := range slices.Sorted(maps.Keys(l.projects)) {
		if past := l.projects[name].object.Status.PastUsage; past != nil {
			l.picture.Recall(pastOf(name, past))
		}
	}
}

// newPast of a project, if it is time to write it again and it is another.
func (l *ledger) newPast(p *project, now time.Time) (*slipwayv1.PastUsage, bool) {
	known := p.object.Status.PastUsage
	if known != nil && now.Sub(known.Time.Time) < pastEvery || now.Sub(p.compared) < pastEvery {
		return nil, false
	}
	next := pastUsageOf(l.picture.Past(p.object.Name))
	if known == nil && next == nil || known != nil && next != nil && alike(known, next) {
		p.compared = now
		return nil, false
	}
	return next, true
}

// alike says that by the one and the other the same would be decided, or nearly so.
func alike(a, b *slipwayv1.PastUsage) bool {
	return alikeMeans(a.Mean, b.Mean) &&
		slices.EqualFunc(a.Users, b.Users, func(x, y slipwayv1.UserUsage) bool { return x.Name == y.Name && alikeMeans(x.Mean, y.Mean) }) &&
		slices.EqualFunc(a.Runs, b.Runs, func(x, y slipwayv1.RunTimes) bool { return x.Kind == y.Kind && slices.Equal(x.Seconds, y.Seconds) })
}

// alikeMeans differ by less than a hundredth.
func alikeMeans(a, b corev1.ResourceList) bool {
	return maps.EqualFunc(a, b, func(a, b resource.Quantity) bool {
		x, y := a.AsApproximateFloat64(), b.AsApproximateFloat64()
		return math.Abs(x-y) <= max(x, y)/100
	})
}

// pastUsageOf is the inverse of pastOf; nil for a past of which nothing is worth to be
// remembered.
func pastUsageOf(past placement.Past) *slipwayv1.PastUsage {
	if len(past.Mean) == 0 && len(past.Users) == 0 && len(past.Runs) == 0 {
		return nil
	}
	out := &slipwayv1.PastUsage{Time: metav1.Unix(past.At, 0), Mean: listOf(past.Mean)}
	for _, u := range past.Users {
		out.Users = append(out.Users, slipwayv1.UserUsage{Name: u.Name, Mean: listOf(u.Mean)})
	}
	for _, r := range past.Runs {
		out.Runs = append(out.Runs, slipwayv1.RunTimes{Kind: r.Kind, Seconds: r.Took})
	}
	return out
}

func pastOf(project string, p *slipwayv1.PastUsage) placement.Past {
	out := placement.Past{Queue: project, At: p.Time.Unix(), Mean: meansOf(p.Mean)}
	for _, u := range p.Users {
		out.Users = append(out.Users, placement.UserPast{Name: u.Name, Mean: meansOf(u.Mean)})
	}
	for _, r := range p.Runs {
		out.Runs = append(out.Runs, placement.PastRuns{Kind: r.Kind, Took: r.Seconds})
	}
	return out
}

// listOf means, to a thousandth; what placement counts of processors are thousandths.
func listOf(means map[string]float64) corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, mean := range means {
		switch name := corev1.ResourceName(name); name {
		case corev1.ResourceMemory, corev1.ResourceEphemeralStorage, corev1.ResourceCPU:
			list[name] = *quantityOf(name, int64(math.Round(mean)))
		default:
			list[name] = *resource.NewMilliQuantity(int64(math.Round(mean*1000)), resource.DecimalSI)
		}
	}
	return list
}

func meansOf(list corev1.ResourceList) map[string]float64 {
	means := map[string]float64{}
	for name, q := range list {
		means[string(name)] = q.AsApproximateFloat64()
		if name == corev1.ResourceCPU {
			means[string(name)] *= 1000
		}
	}
	return means
}

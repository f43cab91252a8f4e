// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

func TestPastUsageIsRecalledAndWritten(t *testing.T) {
	week := time.Duration(placement.DefaultHalfLife) * time.Second
	l := newLedger()
	p := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "p", Generation: 1}}
	p.Status.PastUsage = &slipwayv1.PastUsage{Time: metav1.NewTime(noon.Add(-week)), Mean: corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("800")}}
	l.set(p)
	l.decide(noon)
	l.plan()
	d, changed := l.projectDraft("p", noon)
	if !changed {
		t.Fatal("nothing is to be written, though what is there is a week old")
	}
	got := d.status.PastUsage.Mean["nvidia.com/gpu"]
	if got.Value() != 400 || !d.status.PastUsage.Time.Equal(&metav1.Time{Time: noon}) {
		t.Errorf("past usage is %v, want 400 GPUs at noon: half of what it was a week ago", d.status.PastUsage)
	}
	written := p.DeepCopy()
	written.Status = d.status
	l.set(written)
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{time.Minute, false}, {pastEvery, false}, {24 * time.Hour, true}} {
		l.decide(noon.Add(c.after))
		if _, changed := l.projectDraft("p", noon.Add(c.after)); changed != c.want {
			t.Errorf("after %s it is to be written: %t, want %t", c.after, changed, c.want)
		}
	}
}

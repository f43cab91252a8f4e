// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// pastOfUsers is what two users of a project used until a moment, and what ended.
func pastOfUsers(at time.Time) *slipwayv1.PastUsage {
	gpus := func(n string) corev1.ResourceList {
		return corev1.ResourceList{"nvidia.com/gpu": resource.MustParse(n)}
	}
	return &slipwayv1.PastUsage{
		Time: metav1.NewTime(at), Mean: gpus("10"),
		Users: []slipwayv1.UserUsage{{Name: "ada", Mean: gpus("9500m")}, {Name: "bob", Mean: gpus("500m")}},
		Runs:  []slipwayv1.RunTimes{{Kind: "ns/other", Seconds: []int64{7}}, {Kind: "ns/train", Seconds: []int64{60, 90, 80}}},
	}
}

// TestPastOfUsersAndRuns comes back from a status as it went there, a half-life later.
func TestPastOfUsersAndRuns(t *testing.T) {
	l := newLedger()
	p := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "p", Generation: 1}}
	p.Status.PastUsage = pastOfUsers(noon.Add(-time.Duration(placement.DefaultHalfLife) * time.Second))
	l.set(p)
	l.decide(noon)
	l.plan()
	d, changed := l.projectDraft("p", noon)
	if !changed {
		t.Fatal("nothing is to be written")
	}
	want := pastOfUsers(noon)
	want.Mean["nvidia.com/gpu"] = resource.MustParse("5")
	want.Users[0].Mean["nvidia.com/gpu"] = resource.MustParse("4750m")
	want.Users[1].Mean["nvidia.com/gpu"] = resource.MustParse("250m")
	if !equality.Semantic.DeepEqual(want, d.status.PastUsage) {
		t.Errorf("is to be written:\n%+v\nwant\n%+v", d.status.PastUsage, want)
	}
}

// TestPastIsTold to who replays a cluster as the scheduler recalls it.
func TestPastIsTold(t *testing.T) {
	p := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Status: slipwayv1.ProjectStatus{PastUsage: pastOfUsers(noon)}}
	told := Tell(&snapshot.Snapshot{Projects: []*slipwayv1.Project{p}})
	if len(told.Past) != 1 || !equality.Semantic.DeepEqual(pastUsageOf(told.Past[0]), p.Status.PastUsage) {
		t.Errorf("told %+v", told.Past)
	}
}

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

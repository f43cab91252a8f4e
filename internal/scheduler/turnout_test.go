// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestDoneInTheRun that goes on: as long as any pod of it lives, those count that ended well; who
// was made when a whole run had ended begins another one.
func TestDoneInTheRun(t *testing.T) {
	at := func(second int) metav1.Time { return metav1.NewTime(noon.Add(time.Duration(second) * time.Second)) }
	made := func(second int) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.CreationTimestamp = at(second) }
	}
	type ended struct{ made, ended int }
	for name, tt := range map[string]struct {
		ended []ended
		lives []int
		want  int32
	}{
		"less than a run has ended": {[]ended{{0, 50}}, []int{60, 60, 60}, 1},
		"one lives that is of it":   {[]ended{{0, 40}, {0, 50}}, []int{60, 10, 60, 60}, 2},
		"others came after it":      {[]ended{{0, 40}, {0, 50}}, []int{60, 60}, 0},
		"one ended of the next":     {[]ended{{0, 40}, {0, 50}, {60, 70}}, []int{60}, 1},
	} {
		l := newLedger()
		key := l.belongs(ourPod("any", ofGroup("g", 2))).key
		for i, second := range tt.lives {
			l.set(ourPod(fmt.Sprint("lives-", i), ofGroup("g", 2), made(second)))
		}
		for i, e := range tt.ended {
			l.set(ourPod(fmt.Sprint("ended-", i), ofGroup("g", 2), made(e.made), func(p *corev1.Pod) {
				p.Status.Phase = corev1.PodSucceeded
				p.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: at(e.ended)}}}}
			}))
		}
		if got := l.done(l.groups[key]); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

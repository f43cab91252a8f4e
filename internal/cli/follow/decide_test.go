// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestDecide(t *testing.T) {
	now := time.Unix(100, 0)
	at := func(pod types.UID, restarts int32) run { return run{pod, restarts} }
	running := func(r run) observed { return observed{run: r, started: true} }
	over := func(r run) observed { return observed{run: r, started: true, ended: true} }
	first := at("a", 0)
	for _, c := range []struct {
		name string
		tail tail
		seen observed
		want step
	}{
		{"not started", tail{}, observed{run: first}, wait},
		{"started", tail{}, running(first), begin},
		{"ended before it was met", tail{}, over(first), begin},
		{"met after restarts", tail{}, running(at("a", 3)), begin},
		{"being read", tail{run: first, open: true}, running(first), wait},
		{"ended while being read", tail{run: first, open: true}, over(first), wait},
		{"broke off", tail{run: first}, running(first), resume},
		{"broke off just now", tail{run: first, retry: now.Add(1)}, running(first), wait},
		{"ended after it broke off just now", tail{run: first, retry: now.Add(1)}, over(first), resume},
		{"broke off after the end", tail{run: first, retry: now.Add(1), last: true}, over(first), wait},
		{"all read", tail{run: first, done: true}, over(first), wait},
		{"restarted, all read", tail{run: first, done: true}, running(at("a", 1)), begin},
		{"restarted, not all read", tail{run: first}, running(at("a", 1)), previous},
		{"restarted while being read", tail{run: first, open: true}, running(at("a", 1)), wait},
		{"restarted twice", tail{run: first}, running(at("a", 2)), begin},
		{"replaced, not started", tail{run: first, open: true}, observed{run: at("b", 0)}, wait},
		{"replaced while being read", tail{run: first, open: true}, running(at("b", 0)), abandon},
		{"replaced", tail{run: first, done: true}, running(at("b", 0)), begin},
		{"replaced, not all read", tail{run: first, retry: now.Add(1)}, running(at("b", 0)), begin},
	} {
		if got := c.tail.decide(c.seen, now); got != c.want {
			t.Errorf("%s: got step %d, want %d", c.name, got, c.want)
		}
	}
}

func TestClosed(t *testing.T) {
	now, broken := time.Unix(100, 0), errors.New("broken")
	for _, c := range []struct {
		name  string
		tail  tail
		err   error
		fresh int
		done  bool
		pause time.Duration
	}{
		{"while it ran", tail{open: true}, nil, 0, false, 100 * time.Millisecond},
		{"after the end", tail{open: true, last: true}, nil, 5, true, 0},
		{"broken after the end", tail{open: true, last: true}, broken, 5, false, 100 * time.Millisecond},
		{"the rest", tail{open: true, rest: true}, broken, 0, true, 0},
		{"again and again", tail{open: true, failures: 3}, broken, 0, false, 800 * time.Millisecond},
		{"for long", tail{open: true, failures: 80}, broken, 0, false, 5 * time.Second},
		{"with news", tail{open: true, failures: 80}, broken, 1, false, 100 * time.Millisecond},
	} {
		c.tail.closed(c.err, c.fresh, now)
		if c.tail.open || c.tail.done != c.done || (c.pause > 0 && !c.tail.retry.Equal(now.Add(c.pause))) {
			t.Errorf("%s: got %+v", c.name, c.tail)
		}
	}
}

func TestObserve(t *testing.T) {
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
	waits := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	runs := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	for _, c := range []struct {
		name           string
		statuses       []corev1.ContainerStatus
		started, ended bool
	}{
		{"no status", nil, false, false},
		{"another's", []corev1.ContainerStatus{{Name: "sidecar", State: runs}}, false, false},
		{"created", []corev1.ContainerStatus{{Name: "main", State: waits}}, false, false},
		{"runs", []corev1.ContainerStatus{{Name: "main", State: runs}}, true, false},
		{"runs again", []corev1.ContainerStatus{{Name: "main", State: runs, LastTerminationState: ended}}, true, false},
		{"ended", []corev1.ContainerStatus{{Name: "main", State: ended}}, true, true},
		{"backs off", []corev1.ContainerStatus{{Name: "main", State: waits, LastTerminationState: ended}}, true, true},
	} {
		pod := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: c.statuses}}
		if got := observe(pod, "main"); got.started != c.started || got.ended != c.ended {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// run is one run of one container: a restart in place is a new run, and so is a
// new pod.
type run struct {
	pod      types.UID
	restarts int32
}

// tail is what is known about the log of one pod's name.
type tail struct {
	run      run
	position position
	// first is set for the run that was met first: only its log is cut by what
	// the user asked for, such as the last ten lines.
	first bool
	// open is set while a stream reads. It is the last one of the run when it
	// was opened after the container had ended; rest when it reads what was
	// missed of a run that another has followed.
	open, last, rest bool
	// done says that everything of the run was read.
	done bool
	// failures in a row of opening and reading; after one, try again at retry.
	failures int
	retry    time.Time
}

// step is what to do about a tail.
type step int

const (
	wait     step = iota
	begin         // open the log of a new run
	resume        // open the log of the same run again
	previous      // read what was missed of the run before the present one
	abandon       // the stream is that of a pod that was replaced
)

// observed is what the API server says about a pod's container.
type observed struct {
	run
	started, ended bool
}

func observe(pod *corev1.Pod, container string) observed {
	i := slices.IndexFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == container })
	if i < 0 {
		return observed{run: run{pod: pod.UID}}
	}
	status := pod.Status.ContainerStatuses[i]
	o := observed{run: run{pod.UID, status.RestartCount}}
	// A container that waits to be restarted still has the log of its last run.
	o.ended = status.State.Terminated != nil || status.State.Running == nil && status.LastTerminationState.Terminated != nil
	o.started = status.State.Running != nil || o.ended
	return o
}

// decide is called on every change. Each run's log is opened once more after the
// container has ended, because a stream that ended before may have broken.
func (t *tail) decide(o observed, now time.Time) step {
	same := t.run == o.run
	switch {
	case t.open && t.run.pod != o.pod && o.started:
		return abandon
	case t.open, !o.started, same && t.done:
		return wait
	case !same && t.run.pod == o.pod && t.run.restarts+1 == o.restarts && !t.done:
		return previous
	case !same:
		return begin
	case now.Before(t.retry) && (!o.ended || t.last):
		return wait
	}
	return resume
}

// opened is called when a stream is opened by a step.
func (t *tail) opened(s step, o observed) {
	if s == begin {
		*t = tail{run: o.run, first: t.run == run{}}
	}
	t.position.rewind()
	t.open, t.last, t.rest = true, o.ended, s == previous
}

// closed is called when the stream has ended, with how many new lines it had.
// The rest of an earlier run is asked for once: it may be gone.
func (t *tail) closed(err error, fresh int, now time.Time) {
	t.open = false
	if t.rest || t.last && err == nil {
		t.done = true
		return
	}
	if fresh > 0 {
		t.failures = 0
	}
	t.retry = now.Add(min(firstPause<<min(t.failures, 10), longestPause))
	t.failures++
}

// Pauses between attempts to open a log.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// together is for how long news of a start is held back, so that a job that starts
// smoothly has its status written once and not once for each pod. Moments are kept
// in seconds, so that half of it may be over at the beginning.
const together = 2 * time.Second

// hold the status back while more is about to come: the scheduler's first answer, or
// pods that have just been made and will run any moment. Nobody but people waits for
// what is held, and a crash loses none of it: the next pass finds the same.
func (p *pass) hold() {
	since, more := p.moreToCome()
	if !more || len(p.out.Events)+len(p.out.Delete) > 0 || p.out.DropGang || !p.onlyStarts() {
		return
	}
	// Clocks differ: what began long ago or lies far ahead is not waited for.
	if left := since.Add(together).Sub(p.in.Now); left > 0 && left <= together {
		p.out.Hold = left
	}
}

// moreToCome says whether something is expected that changes the status, and from
// when on.
func (p *pass) moreToCome() (since time.Time, more bool) {
	gang := p.in.Gang
	switch {
	case finished(&p.out.Status), isSuspended(p.in.Job), isTrue(&p.out.Status, kubeflowv1.JobRestarting),
		len(p.in.Problems) > 0, p.in.Blocked.any():
		return time.Time{}, false
	case gang == nil:
		return p.in.Now, p.out.Gang != nil
	case gang.Status.Placed() == nil:
		return gang.CreationTimestamp.Time, true
	case len(p.out.Create) > 0:
		// Who was told that it waits is told at once that it starts.
		return p.in.Now, !has(p.in.Job.Status(), kubeflowv1.JobCreated)
	}
	for _, pod := range p.in.Pods {
		if pod.Status.Phase == corev1.PodPending && pod.CreationTimestamp.After(since) {
			since, more = pod.CreationTimestamp.Time, true
		}
	}
	return since, more
}

// onlyStarts says that there is news in the status, and that it is no more than that the
// job was created, when it started, and how many of its pods run.
func (p *pass) onlyStarts() bool {
	old, next := p.in.Job.Status(), &p.out.Status
	return !equality.Semantic.DeepEqual(old, next) && tellsOfStart(old, next)
}

// tellsOfStart says that what is new in a status is at most that the job was created, when
// it started, and how many of its pods run.
func tellsOfStart(old, next *kubeflowv1.JobStatus) bool {
	old, next = old.DeepCopy(), next.DeepCopy()
	if !has(old, kubeflowv1.JobCreated) && len(next.Conditions) == 1 && has(next, kubeflowv1.JobCreated) {
		next.Conditions = old.Conditions
	}
	for _, s := range []*kubeflowv1.JobStatus{old, next} {
		s.StartTime, s.ReplicaStatuses = nil, nil
	}
	return equality.Semantic.DeepEqual(old, next)
}

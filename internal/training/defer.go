// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"slices"
	"sync"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// When thousands of jobs start at once, to write down how far one has come costs as much
// of the API server as to start another. So who waits for a start goes first: the word
// that a job was created, or runs, is put off by one pass, which has the lowest priority of
// the controller's queue. Where nobody waits, that pass comes at once. A crash loses
// nothing: the next pass finds the same news.

// lastInLine is below the priority of jobs that were there when the controller started.
const lastInLine = handler.LowPriority - 1

// deferrals are the jobs whose word was put off.
type deferrals struct{ jobs sync.Map }

// putOff a pass over a job, unless that was done just now.
func (d *deferrals) putOff(job types.NamespacedName) (ctrl.Result, bool) {
	if _, again := d.jobs.LoadOrStore(job, nil); again {
		return ctrl.Result{}, false
	}
	// After no time at all it would not come; asked to requeue, it would wait for the rate limiter.
	return ctrl.Result{RequeueAfter: time.Nanosecond, Priority: ptr.To(lastInLine)}, true
}

// came says that a pass over the job was made, and that a later one may be put off.
func (d *deferrals) came(job types.NamespacedName) { d.jobs.Delete(job) }

// startNews says that all there is to do is to write how far the job's start has come, or
// how many of its pods run.
func (p *pass) startNews() bool {
	old, next := p.in.Job.Status(), p.out.Status.DeepCopy()
	if p.out.Gang != nil || p.out.DropGang || len(p.out.Events)+len(p.out.Delete)+len(p.out.Create) > 0 ||
		equality.Semantic.DeepEqual(old, next) {
		return false
	}
	if !has(old, kubeflowv1.JobRunning) {
		next.Conditions = slices.DeleteFunc(next.Conditions, func(c kubeflowv1.JobCondition) bool { return c.Type == kubeflowv1.JobRunning })
	}
	return tellsOfStart(old, next)
}

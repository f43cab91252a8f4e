// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// queuedJob is one that waits, of two pods at a time.
func queuedJob(change ...func(*batchv1.Job)) *batchv1.Job {
	job := (&rig{}).job("j", change...)
	job.Spec.Template.Spec.SchedulerName = slipwayv1.SchedulerName
	if _, rests := job.Annotations["rests"]; !rests && !isRunning(job) {
		job.Spec.Suspend = ptr.To(true)
		metav1.SetMetaDataAnnotation(&job.ObjectMeta, slipwayv1.AnnotationQueued, "true")
	}
	return job
}

func isRunning(job *batchv1.Job) bool { return job.Spec.Suspend != nil && !*job.Spec.Suspend }

func running(j *batchv1.Job) { j.Spec.Suspend = ptr.To(false) }

func rests(j *batchv1.Job) {
	suspended(j)
	metav1.SetMetaDataAnnotation(&j.ObjectMeta, "rests", "true")
}

func done(t batchv1.JobConditionType) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Status.Conditions = []batchv1.JobCondition{{Type: t, Status: corev1.ConditionTrue}}
	}
}

// gangOf the Job with so many pods, and so many of them placed; negative for a gang
// that waits.
func gangOf(job *batchv1.Job, count, placed int32) *slipwayv1.Gang {
	p := &pass{in: observed{Job: job}}
	gang := p.newGang(p.gangSpec(count))
	gang.UID, gang.Generation, gang.Status.ObservedGeneration = "g", 1, 1
	c := metav1.Condition{Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionTrue, Reason: "Placed", Message: "somewhere"}
	if placed < 0 {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, "QuotaExceeded", "too much"
	} else {
		gang.Status.Placement = []slipwayv1.PodSetPlacement{{Name: podSetName, Slots: []slipwayv1.Slot{{Node: "n", Count: placed}}}}
	}
	gang.Status.Conditions = []metav1.Condition{c}
	return gang
}

func suspendedSince(at int64) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobSuspended, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Unix(at, 0)}}
	}
}

func has(n int32) func(*batchv1.Job) { return func(j *batchv1.Job) { j.Status.Active = n } }

func placedAt(at int64) func(*observed) {
	return func(in *observed) { in.Gang.Status.Conditions[0].LastTransitionTime = metav1.Unix(at, 0) }
}

// words for a plan: "gang 2, start, drop: reasons of events".
func words(todo plan) string {
	var all []string
	if todo.Gang != nil {
		all = append(all, fmt.Sprint("gang ", todo.Gang.Spec.PodSets[0].Count))
	}
	if todo.Job != nil {
		word := "hold"
		if why := todo.Job.Annotations[slipwayv1.AnnotationBlocked]; why != "" {
			word = "blocked since " + why
		}
		if !isSuspended(todo.Job) {
			word = "start"
		}
		if waits(todo.Job) == !isSuspended(todo.Job) {
			word += " wrongly"
		}
		all = append(all, word)
	}
	if todo.DropGang {
		all = append(all, "drop")
	}
	for _, e := range todo.Events {
		all = append(all, e.Reason)
	}
	return strings.Join(all, ", ")
}

func TestDecide(t *testing.T) {
	succeeded := func(n int32) func(*batchv1.Job) { return func(j *batchv1.Job) { j.Status.Succeeded = n } }
	size := func(parallelism, completions int32) func(*batchv1.Job) {
		return func(j *batchv1.Job) {
			j.Spec.Parallelism, j.Spec.Completions = &parallelism, &completions
			if completions == 0 {
				j.Spec.Completions = nil
			}
		}
	}
	blocked := func(why string) func(*batchv1.Job) {
		return func(j *batchv1.Job) { metav1.SetMetaDataAnnotation(&j.ObjectMeta, slipwayv1.AnnotationBlocked, why) }
	}
	ofKueue := func(j *batchv1.Job) { j.Labels = map[string]string{slipwayv1.LabelQueueName: "team"} }
	active := func(j *batchv1.Job) { j.Status.Terminating = ptr.To[int32](1) }
	gang := func(count, placed int32) func(*observed) {
		return func(in *observed) { in.Gang = gangOf(in.Job, count, placed) }
	}
	for name, tt := range map[string]struct {
		job    *batchv1.Job
		change []func(*observed)
		want   string
	}{
		"a new one asks":            {queuedJob(), nil, "gang 2"},
		"for what is left":          {queuedJob(size(8, 10), succeeded(7)), nil, "gang 3"},
		"a work queue":              {queuedJob(size(4, 0)), nil, "gang 4"},
		"a work queue at its end":   {queuedJob(size(4, 0), succeeded(1)), nil, "gang 0"},
		"waits with a reason":       {queuedJob(), []func(*observed){gang(2, -1)}, "QuotaExceeded"},
		"starts":                    {queuedJob(), []func(*observed){gang(2, 2)}, "start, Started"},
		"grows while it waits":      {queuedJob(size(3, 3)), []func(*observed){gang(2, 2)}, "gang 3"},
		"not before all are gone":   {queuedJob(active), []func(*observed){gang(2, 2)}, "PodsEnding"},
		"was stopped, as of Kueue":  {queuedJob(active, ofKueue, suspendedSince(9)), []func(*observed){gang(2, 2), placedAt(5)}, "Stopped"},
		"lost other places before":  {queuedJob(active, ofKueue, suspendedSince(9)), []func(*observed){gang(2, 2), placedAt(9)}, "PodsEnding"},
		"not by an old answer":      {queuedJob(), []func(*observed){gang(2, 2), func(in *observed) { in.Gang.Generation = 2 }}, ""},
		"runs":                      {queuedJob(running), []func(*observed){gang(2, 2)}, ""},
		"gives back what succeeded": {queuedJob(running, size(4, 4), succeeded(3), has(1)), []func(*observed){gang(4, 4)}, "gang 1"},
		"is made smaller":           {queuedJob(running, size(3, 8), has(3)), []func(*observed){gang(4, 4)}, "gang 3"},
		"is smaller only later":     {queuedJob(running, size(2, 8), has(4)), []func(*observed){gang(4, 4)}, ""},
		"is made larger":            {queuedJob(running, size(6, 8)), []func(*observed){gang(4, 4)}, "gang 6"},
		"waits to grow":             {queuedJob(running, size(6, 8)), []func(*observed){gang(6, 4)}, "Placed"},
		"is evicted":                {queuedJob(running), []func(*observed){gang(2, -1)}, "hold, Held"},
		"runs without a gang":       {queuedJob(running), nil, "hold, Held"},
		"lost a node": {queuedJob(running), []func(*observed){gang(2, 2), func(in *observed) {
			in.Gang.Status.Conditions[0].Status = metav1.ConditionFalse
		}}, "Placed"},
		"is suspended by a person": {queuedJob(rests), []func(*observed){gang(2, 2)}, "drop, Stopped"},
		"rests":                    {queuedJob(rests), nil, ""},
		"has succeeded":            {queuedJob(running, done(batchv1.JobComplete)), []func(*observed){gang(2, 2)}, "drop"},
		"has failed":               {queuedJob(running, done(batchv1.JobFailed)), []func(*observed){gang(2, 2)}, "drop"},
		"misses a claim": {queuedJob(), []func(*observed){gang(2, 2), func(in *observed) {
			in.Volumes.Missing = map[string]string{"f": "there is no claim"}
		}}, "blocked since there is no claim, drop, Blocked"},
		"misses its class": {queuedJob(), []func(*observed){gang(2, 2), func(in *observed) { in.NoPodClass = "high" }},
			"blocked since spec.template.spec.priorityClassName: there is no PriorityClass high; make it, or name another in a Job made anew, drop, Blocked"},
		"another's gang":       {queuedJob(), []func(*observed){func(in *observed) { in.InTheWay = "gang x" }}, "blocked since gang x, Blocked"},
		"is no longer blocked": {queuedJob(blocked("gang x")), nil, "gang 2, hold"},
		"is blocked still":     {queuedJob(blocked("gang x")), []func(*observed){func(in *observed) { in.InTheWay = "gang x" }}, "Blocked"},
		"is another's":         {(&rig{}).job("j"), []func(*observed){gang(2, 2)}, ""},
		"a bad limit": {queuedJob(func(j *batchv1.Job) {
			j.Annotations = map[string]string{slipwayv1.AnnotationMaxRunTime: "long"}
		}), nil, `blocked since metadata.annotations[slipway.dev/max-run-time]: "long" is not a duration; write one such as 36h or 90m, Blocked`},
		"a bad slice": {queuedJob(func(j *batchv1.Job) {
			j.Spec.Template.Annotations = map[string]string{podset.AnnotationSliceSize: "none"}
		}), nil, `blocked since spec.template.metadata.annotations[kueue.x-k8s.io/podset-slice-size]: "none" is no number of pods; use one or more, Blocked`},
	} {
		t.Run(name, func(t *testing.T) {
			in := observed{Job: tt.job}
			for _, c := range tt.change {
				c(&in)
			}
			before := in.Job.DeepCopy()
			if diff := cmp.Diff(tt.want, words(decide(in))); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, in.Job); diff != "" {
				t.Errorf("the decision changed the job: %s", diff)
			}
		})
	}
}

// TestRunningJobChanges: all that may change while it runs reaches the Gang.
func TestRunningJobChanges(t *testing.T) {
	job := queuedJob(running)
	in := observed{Job: job, Gang: gangOf(job, 2, 2), Priority: 5}
	sets := in.Gang.Spec.DeepCopy().PodSets
	job.Labels = map[string]string{slipwayv1.LabelQueueName: "vision"}
	job.Annotations = map[string]string{slipwayv1.AnnotationUser: "alice", slipwayv1.AnnotationMinRunTime: "30m",
		slipwayv1.AnnotationMaxRunTime: "3h", slipwayv1.AnnotationCheckpoint: "2026-01-02T15:04:05.6Z"}
	job.Spec.Template.Spec.NodeSelector = map[string]string{"too": "late"}
	todo := decide(in)
	if todo.Gang == nil {
		t.Fatal("the gang stays as it was")
	}
	want := slipwayv1.GangSpec{Project: "vision", User: "alice", Priority: 5, PodSets: sets,
		MaxRunTime: &metav1.Duration{Duration: 3 * 3600e9}, MinRunTime: &metav1.Duration{Duration: 1800e9},
		LastCheckpoint: ptr.To(metav1.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC))}
	if diff := cmp.Diff(want, todo.Gang.Spec); diff != "" {
		t.Error(diff)
	}
}

func TestGangSpec(t *testing.T) {
	job := queuedJob(label(slipwayv1.LabelQueueName, "vision"), func(j *batchv1.Job) {
		j.Annotations = map[string]string{slipwayv1.AnnotationUser: "alice", slipwayv1.AnnotationMinRunTime: "30m"}
		j.Spec.ActiveDeadlineSeconds = ptr.To[int64](3600)
	})
	p := &pass{in: observed{Job: job, Priority: 5}}
	got := p.gangSpec(2)
	got.PodSets = nil
	want := slipwayv1.GangSpec{Project: "vision", User: "alice", Priority: 5,
		MaxRunTime: &metav1.Duration{Duration: 3600e9}, MinRunTime: &metav1.Duration{Duration: 1800e9}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
	"slipway.dev/slipway/internal/podset"
)

// newReconciler of a cluster without an API server that creates Gangs as told.
func newReconciler(t *testing.T, create error, objects ...client.Object) (*reconciler, *events.FakeRecorder) {
	t.Helper()
	cluster := fake.NewClientBuilder().WithScheme(kubetest.Kinds(t, slipwayv1.AddToScheme)).WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error { return create },
	}).Build()
	told := events.NewFakeRecorder(8)
	return &reconciler{client: cluster, live: cluster, events: told}, told
}

// TestRefusedGang: who waits because the API server refuses its Gang is told so, and is
// looked at again.
func TestRefusedGang(t *testing.T) {
	job := queuedJob()
	job.Namespace = "team"
	for name, refusal := range map[string]error{
		"invalid":   apierrors.NewInvalid(schema.GroupKind{Kind: "Gang"}, "job-j", nil),
		"forbidden": apierrors.NewForbidden(schema.GroupResource{Resource: "gangs"}, "job-j", nil),
	} {
		r, told := newReconciler(t, refusal, job)
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(job)})
		if err != nil || result.RequeueAfter != blockedDelay {
			t.Errorf("%s: looks again after %v: %v", name, result.RequeueAfter, err)
		}
		if said := strings.Join(kubetest.Told(told), "\n"); !strings.Contains(said, "Blocked") || !strings.Contains(said, "making gang job-j: ") {
			t.Errorf("%s: said %q", name, said)
		}
		var is batchv1.Job
		if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(job), &is); err != nil || !strings.Contains(is.Annotations[slipwayv1.AnnotationBlocked], "making gang job-j: ") {
			t.Errorf("%s: is marked by %v: %v", name, is.Annotations, err)
		}
	}
}

// TestNameIsTaken: who needs the name of a Gang that is not its own looks again, since
// nobody tells it of the end of that.
func TestNameIsTaken(t *testing.T) {
	job := queuedJob()
	job.Namespace = "team"
	taken := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, Name: gangName(job)}}
	r, _ := newReconciler(t, nil, job, taken)
	result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(job)})
	if err != nil || result.RequeueAfter != blockedDelay {
		t.Errorf("looks again after %v: %v", result.RequeueAfter, err)
	}
}

// TestNamespaceEnds: in a namespace that is being deleted nothing is asked for again,
// and nobody is told of what is refused there.
func TestNamespaceEnds(t *testing.T) {
	job := queuedJob()
	job.Namespace = "team"
	for name, objects := range map[string][]client.Object{"seen": {job, kubetest.Ending("team")}, "refused": {job}} {
		r, told := newReconciler(t, kubetest.RefusedAsEnding(), objects...)
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(job)})
		if said := kubetest.Told(told); err != nil || result != (ctrl.Result{}) || len(said) > 0 {
			t.Errorf("%s: looks again after %v, says %q: %v", name, result.RequeueAfter, said, err)
		}
		var is batchv1.Job
		if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(job), &is); err != nil || is.Annotations[slipwayv1.AnnotationBlocked] != "" {
			t.Errorf("%s: is marked by %v: %v", name, is.Annotations, err)
		}
	}
}

// TestSystemClassForTheQueue counts as one that does not exist.
func TestSystemClassForTheQueue(t *testing.T) {
	class := &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "system-node-critical"}, Value: 2000001000}
	in := observed{Job: queuedJob(func(j *batchv1.Job) { j.Labels = map[string]string{labelPriority: class.Name} })}
	if err := in.observePriority(podset.PriorityOf([]schedulingv1.PriorityClass{*class})); err != nil || in.Priority != 0 || len(in.NoClass) != 1 {
		t.Errorf("priority is %d, there are no %v: %v", in.Priority, in.NoClass, err)
	}
}

// TestPriorityOfAJob is the queue's word before the pods', which must name a class that is there.
func TestPriorityOfAJob(t *testing.T) {
	classes := podset.PriorityOf([]schedulingv1.PriorityClass{
		{ObjectMeta: metav1.ObjectMeta{Name: "low"}, Value: 1}, {ObjectMeta: metav1.ObjectMeta{Name: "high"}, Value: 9},
		{ObjectMeta: metav1.ObjectMeta{Name: "usual"}, Value: 5, GlobalDefault: true}})
	for name, tt := range map[string]struct {
		queue, pods string
		priority    int32
		missing     string
	}{
		"nothing":          {"", "", 5, ""},
		"pods":             {"", "high", 9, ""},
		"queue":            {"low", "high", 1, ""},
		"no such queue's":  {"none", "high", 9, "none"},
		"no such pods'":    {"", "none", 5, "pods none"},
		"no such, queued":  {"high", "none", 9, "pods none"},
		"neither is there": {"none", "nil", 5, "none, pods nil"},
	} {
		t.Run(name, func(t *testing.T) {
			in := observed{Job: queuedJob(func(j *batchv1.Job) {
				j.Labels = map[string]string{labelPriority: tt.queue}
				j.Spec.Template.Spec.PriorityClassName = tt.pods
			})}
			if err := in.observePriority(classes); err != nil {
				t.Fatal(err)
			}
			missing := in.NoClass
			if in.NoPodClass != "" {
				missing = append(missing, "pods "+in.NoPodClass)
			}
			if got := strings.Join(missing, ", "); in.Priority != tt.priority || got != tt.missing {
				t.Errorf("priority %d, missing %q; want %d, %q", in.Priority, got, tt.priority, tt.missing)
			}
		})
	}
}

// TestWarnedOfAnnotations: what a Job says and nobody can follow it is told of, once.
func TestWarnedOfAnnotations(t *testing.T) {
	job := queuedJob()
	job.Namespace = "team"
	metav1.SetMetaDataAnnotation(&job.ObjectMeta, slipwayv1.AnnotationCheckpoint, "yesterday")
	r, told := newReconciler(t, nil, job)
	for _, want := range []bool{true, false} {
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(job)}); err != nil {
			t.Fatal(err)
		}
		said := strings.Join(kubetest.Told(told), "\n")
		if warned := strings.Contains(said, `Warning InvalidAnnotation metadata.annotations[slipway.dev/checkpointed-at]: "yesterday" is no moment`); warned != want {
			t.Errorf("warned: %t, want %t; said %q", warned, want, said)
		}
	}
}

// TestToldOfNoClass: who names a class for the queue that is not there is told so while it waits, once,
// and what counts instead; and so is who names one of the system's.
func TestToldOfNoClass(t *testing.T) {
	for class, want := range map[string]string{
		"nosuch":               "there is no PriorityClass nosuch, and the priority is 0; make it, or name another",
		"system-node-critical": "system-node-critical is for Kubernetes' own pods, and the priority is 0; name another",
		"there":                "",
	} {
		job := queuedJob(label(labelPriority, class))
		job.Namespace = "team"
		r, told := newReconciler(t, nil, job, gangOf(job, 2, -1), &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "there"}, Value: 7})
		for i := range 2 {
			if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(job)}); err != nil {
				t.Fatal(err)
			}
			said := strings.Join(kubetest.Told(told), "\n")
			if is := strings.Contains(said, "Warning NoPriorityClass metadata.labels[kueue.x-k8s.io/priority-class]: "+want); is != (i == 0 && want != "") {
				t.Errorf("%s, pass %d: said %q, want %q", class, i, said, want)
			}
		}
		if got, err := ClassWarning(job, podset.PriorityIn(t.Context(), r.client)); err != nil || !strings.HasSuffix(got, want) || want == "" && got != "" {
			t.Errorf("%s: warned of %q: %v", class, got, err)
		}
	}
}

// TestWaitsForItsClass: a Job that waits is ranked anew when a class comes that it names.
func TestWaitsForItsClass(t *testing.T) {
	job := queuedJob(label(labelPriority, "late"))
	if got := needs(job); !slices.Contains(got, podset.NeedClass("late")) {
		t.Errorf("needs %v", got)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// settled returns when the API server, just started, follows its policies.
func (r *rig) settled() {
	r.t.Helper()
	kubetest.Until(r.t, "the admission policies to be followed", func(ctx context.Context) bool {
		probe := r.job("probe", label(slipwayv1.LabelQueueName, "q"))
		r.must(r.client.Create(ctx, probe, client.DryRunAll))
		return probe.Spec.Template.Spec.SchedulerName == slipwayv1.SchedulerName && probe.Annotations[slipwayv1.AnnotationUser] != ""
	})
}

// owned by another job.
func owned(apiVersion, kind string) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.OwnerReferences = []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: "owner", UID: "1", Controller: ptr.To(true)}}
	}
}

func TestAPIWhichJobsAreQueued(t *testing.T) {
	r := newRig(t)
	r.settled()
	scheduler := func(name string) func(*batchv1.Job) {
		return func(j *batchv1.Job) { j.Spec.Template.Spec.SchedulerName = name }
	}
	project, kueue := label(slipwayv1.LabelProject, "p"), label(slipwayv1.LabelQueueName, "p")
	for name, tt := range map[string]struct {
		change []func(*batchv1.Job)
		queued bool
		state  string
	}{
		"plain":                    {nil, false, "runs"},
		"of-a-project":             {[]func(*batchv1.Job){project}, true, "waits"},
		"of-a-queue":               {[]func(*batchv1.Job){kueue}, true, "waits"},
		"by-its-scheduler":         {[]func(*batchv1.Job){scheduler("slipway")}, true, "waits"},
		"suspended":                {[]func(*batchv1.Job){project, suspended}, true, "rests"},
		"suspended-of-a-queue":     {[]func(*batchv1.Job){kueue, suspended}, true, "waits"},
		"of-another-scheduler":     {[]func(*batchv1.Job){project, scheduler("volcano")}, false, "runs"},
		"of-another-controller":    {[]func(*batchv1.Job){project, func(j *batchv1.Job) { j.Spec.ManagedBy = ptr.To("kueue.x-k8s.io/multikueue") }}, false, "runs"},
		"part-of-a-job-set":        {[]func(*batchv1.Job){kueue, owned("jobset.x-k8s.io/v1alpha2", "JobSet")}, false, "runs"},
		"launcher-of-an-mpi-job":   {[]func(*batchv1.Job){kueue, owned("kubeflow.org/v2beta1", "MPIJob")}, false, "runs"},
		"of-a-cron-job":            {[]func(*batchv1.Job){project, owned("batch/v1", "CronJob")}, true, "waits"},
		"suspended-and-unlabelled": {[]func(*batchv1.Job){suspended}, false, "rests"},
	} {
		t.Run(name, func(t *testing.T) {
			job := r.job(name, tt.change...)
			if err := r.client.Create(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			if isQueued(job) != tt.queued || stateOf(job) != tt.state {
				t.Errorf("queued %v and %s, want %v and %s", isQueued(job), stateOf(job), tt.queued, tt.state)
			}
		})
	}
}

// TestAPIJobsThatClaim do not count pods as failed that are made anew to be placed anew.
func TestAPIJobsThatClaim(t *testing.T) {
	r := newRig(t)
	r.settled()
	project := label(slipwayv1.LabelProject, "p")
	claims := func(j *batchv1.Job) {
		spec := &j.Spec.Template.Spec
		spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimTemplateName: ptr.To("one-gpu")}}
		spec.RestartPolicy = corev1.RestartPolicyNever
	}
	retries := func(j *batchv1.Job) { j.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyOnFailure }
	own := func(j *batchv1.Job) {
		j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
			Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: "In", Values: []int32{3}}}}}
	}
	ignores := &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{Action: batchv1.PodFailurePolicyActionIgnore,
		OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}}}}}
	owns := &batchv1.Job{}
	own(owns)
	for name, tt := range map[string]struct {
		change []func(*batchv1.Job)
		want   *batchv1.PodFailurePolicy
	}{
		"claims":            {[]func(*batchv1.Job){project, claims}, ignores},
		"claims-nothing":    {[]func(*batchv1.Job){project}, nil},
		"is-not-queued":     {[]func(*batchv1.Job){claims}, nil},
		"restarts-in-place": {[]func(*batchv1.Job){project, claims, retries}, nil},
		"has-its-own":       {[]func(*batchv1.Job){project, claims, own}, owns.Spec.PodFailurePolicy},
	} {
		job := r.job(name, tt.change...)
		if err := r.client.Create(t.Context(), job); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, job.Spec.PodFailurePolicy); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if tt.want == ignores && ptr.Deref(job.Spec.PodReplacementPolicy, "") != batchv1.Failed {
			t.Errorf("%s: pods are replaced by %v", name, job.Spec.PodReplacementPolicy)
		}
	}
}

// TestAPIJobsOfAProjectsNamespace are queued without a label of their own.
func TestAPIJobsOfAProjectsNamespace(t *testing.T) {
	r := newRig(t)
	r.settled()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "team-", Labels: map[string]string{slipwayv1.LabelProject: "p"}}}
	r.create(namespace)
	job := r.job("j")
	job.Namespace = namespace.Name
	r.create(job)
	if !isQueued(job) || stateOf(job) != "waits" {
		t.Errorf("queued %v and %s", isQueued(job), stateOf(job))
	}
}

// TestAPISuspendAndResume goes through what people and the platform write.
func TestAPISuspendAndResume(t *testing.T) {
	resume := func(j *batchv1.Job) { j.Spec.Suspend = ptr.To(false) }
	start := func(j *batchv1.Job) { resume(j); delete(j.Annotations, slipwayv1.AnnotationQueued) }
	hold := func(j *batchv1.Job) { delete(j.Annotations, slipwayv1.AnnotationQueued) }
	for name, tt := range map[string]struct {
		label string
		steps []func(*batchv1.Job)
		want  string
	}{
		"nobody jumps the queue":         {slipwayv1.LabelProject, []func(*batchv1.Job){resume}, "waits"},
		"the platform starts it":         {slipwayv1.LabelProject, []func(*batchv1.Job){start}, "runs"},
		"a person suspends it":           {slipwayv1.LabelProject, []func(*batchv1.Job){start, suspended}, "rests"},
		"and resumes it":                 {slipwayv1.LabelProject, []func(*batchv1.Job){start, suspended, resume}, "waits"},
		"suspending it is no news":       {slipwayv1.LabelProject, []func(*batchv1.Job){suspended}, "waits"},
		"a person takes it out":          {slipwayv1.LabelProject, []func(*batchv1.Job){hold}, "rests"},
		"and queues it again":            {slipwayv1.LabelProject, []func(*batchv1.Job){hold, resume}, "waits"},
		"with Kueue's label it requeues": {slipwayv1.LabelQueueName, []func(*batchv1.Job){start, suspended}, "waits"},
		"and is taken out":               {slipwayv1.LabelQueueName, []func(*batchv1.Job){start, suspended, hold}, "rests"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.settled()
			job := r.job("j", label(tt.label, "p"))
			r.create(job)
			for _, step := range tt.steps {
				kubetest.Edit(t, r.client, job, step)
			}
			if got := stateOf(job); got != tt.want {
				t.Errorf("it %s, and should %s", got, tt.want)
			}
		})
	}
}

// applyTraining applies the policies about custom kinds, and returns when they are
// followed.
func (r *rig) applyTraining(probe client.Object) {
	r.t.Helper()
	kubetest.ApplyPolicies(r.t, r.client, "training.yaml")
	kubetest.Until(r.t, "the policies about training to be followed", func(ctx context.Context) bool {
		offered := probe.DeepCopyObject().(client.Object)
		return r.client.Create(ctx, offered, client.DryRunAll) == nil && offered.GetAnnotations()[slipwayv1.AnnotationUser] != "mallory"
	})
}

// training job, suspended, of a queue.
func (r *rig) training(name string, annotations map[string]string) *kubeflowv1.PyTorchJob {
	return &kubeflowv1.PyTorchJob{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns, Labels: map[string]string{slipwayv1.LabelQueueName: "p"}, Annotations: annotations},
		Spec: kubeflowv1.PyTorchJobSpec{
			RunPolicy: kubeflowv1.RunPolicy{Suspend: ptr.To(true)},
			PyTorchReplicaSpecs: map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec{
				kubeflowv1.PyTorchJobReplicaTypeWorker: {Template: r.job("x").Spec.Template}},
		},
	}
}

func TestAPINobodyForgesTheUser(t *testing.T) {
	r := newRig(t)
	r.settled()
	forged := map[string]string{slipwayv1.AnnotationUser: "mallory"}
	training := r.training("t", forged)
	r.applyTraining(training)
	cron := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: r.ns, Annotations: forged}, Spec: batchv1.CronJobSpec{
		Schedule: "* * * * *", JobTemplate: batchv1.JobTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: forged}, Spec: r.job("x").Spec}}}
	alice, mallory := r.as("alice"), r.as("mallory")
	for _, o := range []client.Object{r.job("j"), r.job("forged", func(j *batchv1.Job) { j.Annotations = forged }), training, cron} {
		kind := o.GetName()
		r.must(alice.Create(t.Context(), o))
		if got := o.GetAnnotations()[slipwayv1.AnnotationUser]; got != "alice" {
			t.Errorf("%s was made by alice and is %q's", kind, got)
		}
		for _, change := range []map[string]string{forged, nil} {
			old := o.DeepCopyObject().(client.Object)
			o.SetAnnotations(change)
			r.must(mallory.Patch(t.Context(), o, client.MergeFrom(old)))
			if got := o.GetAnnotations()[slipwayv1.AnnotationUser]; got != "alice" {
				t.Errorf("%s, changed to %v by mallory, is %q's", kind, change, got)
			}
		}
	}
	if *training.Spec.RunPolicy.Suspend {
		t.Error("a training job with Kueue's label stays suspended")
	}
	if got := cron.Spec.JobTemplate.Annotations[slipwayv1.AnnotationUser]; got != "alice" {
		t.Errorf("jobs of the CronJob are %q's", got)
	}
	of := r.job("of-cron", func(j *batchv1.Job) { j.Annotations = cron.Spec.JobTemplate.Annotations })
	r.must(r.as("system:serviceaccount:kube-system:cronjob-controller").Create(t.Context(), of))
	if got := of.Annotations[slipwayv1.AnnotationUser]; got != "alice" {
		t.Errorf("the job of the CronJob is %q's", got)
	}
}

// moved says whether ada may give a job to another project, and that she is told why not.
func (r *rig) moved(job client.Object) bool {
	r.t.Helper()
	next := job.DeepCopyObject().(client.Object)
	next.SetLabels(map[string]string{slipwayv1.LabelProject: "rich", slipwayv1.LabelQueueName: job.GetLabels()[slipwayv1.LabelQueueName]})
	err := r.as("ada").Patch(r.t.Context(), next, client.MergeFrom(job), client.DryRunAll)
	if err != nil && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "which has its places already")) {
		r.t.Errorf("%s: %v", job.GetName(), err)
	}
	return err == nil
}

// TestAPIChargedJobsStayTheirProjects while they have their places.
func TestAPIChargedJobsStayTheirProjects(t *testing.T) {
	r := newRig(t)
	r.settled()
	start := func(j *batchv1.Job) {
		j.Spec.Suspend = ptr.To(false)
		delete(j.Annotations, slipwayv1.AnnotationQueued)
	}
	job := r.job("j", label(slipwayv1.LabelProject, "poor"))
	r.create(job)
	if !r.moved(job) {
		t.Error("a Job that waits may not go to another project")
	}
	kubetest.Edit(t, r.client, job, start)
	kubetest.Until(t, "a Job that runs to stay its project's", func(context.Context) bool { return !r.moved(job) })
	kubetest.Edit(t, r.as("ada"), job, func(j *batchv1.Job) { j.Labels["app"] = "x" })
	renamed := job.DeepCopy() // The same project, by the other label.
	renamed.Labels = map[string]string{slipwayv1.LabelQueueName: "poor"}
	r.must(r.as("ada").Patch(t.Context(), renamed, client.MergeFrom(job), client.DryRunAll))
	kubetest.EditStatus(t, r.client, job, func(j *batchv1.Job) { j.Status.StartTime, j.Status.Active = ptr.To(metav1.Now()), 2 })
	kubetest.Edit(t, r.client, job, suspended)
	if r.moved(job) {
		t.Error("a Job goes to another project before its pods have ended")
	}
	kubetest.EditStatus(t, r.client, job, func(j *batchv1.Job) { j.Status.StartTime, j.Status.Active = nil, 0 })
	if !r.moved(job) {
		t.Error("a Job that was suspended may not go to another project")
	}
	others := r.job("others", func(j *batchv1.Job) { j.Spec.Template.Spec.SchedulerName = "volcano" })
	r.create(others)
	if !r.moved(others) {
		t.Error("a Job of another scheduler may not go to another project")
	}
}

// TestAPIChargedTrainingStaysItsProjects between its start and its end.
func TestAPIChargedTrainingStaysItsProjects(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.applyTraining(r.training("probe", map[string]string{slipwayv1.AnnotationUser: "mallory"}))
	job := r.training("t", nil)
	r.create(job)
	if !r.moved(job) {
		t.Error("a job that waits may not go to another project")
	}
	kubetest.EditStatus(t, r.client, job, func(j *kubeflowv1.PyTorchJob) { j.Status.StartTime = ptr.To(metav1.Now()) })
	kubetest.Until(t, "a job that has started to stay its project's", func(context.Context) bool { return !r.moved(job) })
	kubetest.Edit(t, r.as("ada"), job, func(j *kubeflowv1.PyTorchJob) { j.Labels["app"] = "x" })
	suspend := func(is bool) func(*kubeflowv1.PyTorchJob) {
		return func(j *kubeflowv1.PyTorchJob) { j.Spec.RunPolicy.Suspend = ptr.To(is) }
	}
	kubetest.Edit(t, r.client, job, suspend(true))
	if !r.moved(job) {
		t.Error("a job that is suspended may not go to another project")
	}
	kubetest.Edit(t, r.client, job, suspend(false))
	kubetest.EditStatus(t, r.client, job, func(j *kubeflowv1.PyTorchJob) { j.Status.CompletionTime = ptr.To(metav1.Now()) })
	if !r.moved(job) {
		t.Error("a job that has ended may not go to another project")
	}
}

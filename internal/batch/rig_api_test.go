// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"testing"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// rig is a namespace of a real API server, with its admission policies. The test plays
// scheduler, Job controller and people.
type rig struct {
	t      *testing.T
	config *rest.Config
	client client.WithWatch
	ns     string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, config: kubetest.Start(t)}
	r.client = kubetest.Client(t, r.config, kubeflowv1.AddToScheme, slipwayv1.AddToScheme)
	r.ns = kubetest.Namespace(t, r.config)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// as a user who may do everything.
func (r *rig) as(user string) client.Client {
	r.t.Helper()
	c, err := client.New(kubetest.As(r.config, user, "system:masters"), client.Options{Scheme: r.client.Scheme()})
	r.must(err)
	return c
}

// run the controller as a user who has its rules and no more.
func (r *rig) run() {
	r.t.Helper()
	limited := kubetest.Limited(r.t, r.config, "batch-"+r.ns, Rules())
	mgr := kubetest.Manager(r.t, limited, r.client.Scheme(), kubetest.Within(r.ns))
	r.must(Setup(mgr))
	kubetest.Run(r.t, mgr)
}

func (r *rig) job(name string, change ...func(*batchv1.Job)) *batchv1.Job {
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns},
		Spec: batchv1.JobSpec{
			Parallelism: ptr.To[int32](2), Completions: ptr.To[int32](2),
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "main", Image: "none"}},
			}},
		},
	}
	for _, c := range change {
		c(job)
	}
	return job
}

func label(key, value string) func(*batchv1.Job) {
	return func(j *batchv1.Job) { metav1.SetMetaDataLabel(&j.ObjectMeta, key, value) }
}

func suspended(j *batchv1.Job) { j.Spec.Suspend = ptr.To(true) }

func (r *rig) create(o client.Object) {
	r.t.Helper()
	r.must(r.client.Create(r.t.Context(), o))
}

func (r *rig) awaitGangs(n int) []slipwayv1.Gang {
	r.t.Helper()
	return kubetest.AwaitList(r.t, r.client, r.ns, fmt.Sprint(n, " gangs"), &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool {
		return len(l.Items) == n
	}).Items
}

func (r *rig) awaitJob(name, state string) *batchv1.Job {
	r.t.Helper()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}}
	return kubetest.Await(r.t, r.client, job, "the state "+state, func(j *batchv1.Job) bool { return stateOf(j) == state })
}

// stateOf a Job, as the annotation and the spec say: runs, waits or rests.
func stateOf(job *batchv1.Job) string {
	switch {
	case !isSuspended(job):
		return "runs"
	case waits(job):
		return "waits"
	}
	return "rests"
}

// place plays the scheduler.
func (r *rig) place(gang *slipwayv1.Gang, is bool) {
	r.t.Helper()
	kubetest.EditStatus(r.t, r.client, gang, func(g *slipwayv1.Gang) {
		g.Status.ObservedGeneration, g.Status.Placement = g.Generation, nil
		c := metav1.Condition{Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionFalse, Reason: "Evicted", Message: "gave its places to another"}
		if is {
			c.Status, c.Reason, c.Message = metav1.ConditionTrue, "Placed", "2 pods on 1 node"
			g.Status.Placement = []slipwayv1.PodSetPlacement{{Name: podSetName, Slots: []slipwayv1.Slot{{Node: "n1", Count: g.Spec.PodSets[0].Count}}}}
		}
		meta.SetStatusCondition(&g.Status.Conditions, c)
	})
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"testing"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// rig is a namespace of a real API server in which the engine runs as a user who
// has its rules and no more. The test plays scheduler, kubelet and people.
type rig struct {
	t      *testing.T
	client client.WithWatch
	ns     string
	node   string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	config := kubetest.Start(t)
	r := &rig{t: t, ns: kubetest.Namespace(t, config)}
	r.client = kubetest.Client(t, config, kubeflowv1.AddToScheme, slipwayv1.AddToScheme)
	r.node = "node-of-" + r.ns
	r.create(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: r.node}})
	limited := kubetest.Limited(t, config, "training-"+r.ns, Rules())
	mgr := kubetest.Manager(t, limited, r.client.Scheme(), kubetest.Within(r.ns))
	must(t, Setup(mgr))
	kubetest.Run(t, mgr)
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) create(o client.Object) {
	r.t.Helper()
	must(r.t, r.client.Create(r.t.Context(), o))
}

// await returns what is in the namespace when ok first holds of it all.
func await[L client.ObjectList](r *rig, what string, list L, ok func(L) bool) L {
	r.t.Helper()
	return kubetest.AwaitList(r.t, r.client, r.ns, what, list, ok)
}

func (r *rig) awaitJob(name, what string, ok func(*kubeflowv1.PyTorchJob) bool) *kubeflowv1.PyTorchJob {
	r.t.Helper()
	job := &kubeflowv1.PyTorchJob{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}}
	return kubetest.Await(r.t, r.client, job, what, ok)
}

func (r *rig) awaitLast(name string, t kubeflowv1.JobConditionType) *kubeflowv1.PyTorchJob {
	r.t.Helper()
	return r.awaitJob(name, string(t), func(job *kubeflowv1.PyTorchJob) bool {
		n := len(job.Status.Conditions)
		return n > 0 && job.Status.Conditions[n-1].Type == t
	})
}

// waitsFor is where the job says why it waits.
func waitsFor(job *kubeflowv1.PyTorchJob) string {
	return ptr.Deref(find(&job.Status, kubeflowv1.JobCreated), kubeflowv1.JobCondition{}).Message
}

func (r *rig) awaitPods(n int) []corev1.Pod {
	r.t.Helper()
	return await(r, "pods", &corev1.PodList{}, func(l *corev1.PodList) bool { return len(l.Items) == n }).Items
}

func (r *rig) awaitGang(name string) *slipwayv1.Gang {
	r.t.Helper()
	gang := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}}
	return kubetest.Await(r.t, r.client, gang, "the gang", func(*slipwayv1.Gang) bool { return true })
}

// place plays the scheduler: all pods on one node.
func (r *rig) place(gang *slipwayv1.Gang) {
	r.t.Helper()
	kubetest.EditStatus(r.t, r.client, gang, func(g *slipwayv1.Gang) {
		g.Status.ObservedGeneration = g.Generation
		meta.SetStatusCondition(&g.Status.Conditions, metav1.Condition{
			Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionTrue, Reason: "Placed", Message: "all pods have a node"})
		g.Status.Placement = nil
		for _, set := range g.Spec.PodSets {
			g.Status.Placement = append(g.Status.Placement,
				slipwayv1.PodSetPlacement{Name: set.Name, Slots: []slipwayv1.Slot{{Node: r.node, Count: set.Count}}})
		}
	})
}

func (r *rig) refusePlace(gang *slipwayv1.Gang, reason, message string) {
	r.t.Helper()
	kubetest.EditStatus(r.t, r.client, gang, func(g *slipwayv1.Gang) {
		meta.SetStatusCondition(&g.Status.Conditions, metav1.Condition{
			Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionFalse, Reason: reason, Message: message})
	})
}

// phase plays the kubelet.
func (r *rig) phase(name string, phase corev1.PodPhase) {
	r.t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}}
	kubetest.EditStatus(r.t, r.client, pod, func(p *corev1.Pod) { p.Status.Phase = phase })
}

// bury plays the kubelet that has stopped the containers of a deleted pod.
func (r *rig) bury(name string) {
	r.t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}}
	must(r.t, r.client.Delete(r.t.Context(), pod, client.GracePeriodSeconds(0)))
}

func (r *rig) newJob(masters, workers int32, change ...func(*kubeflowv1.PyTorchJob)) *kubeflowv1.PyTorchJob {
	job := newJob(masters, workers, change...)
	job.Namespace = r.ns
	return job
}

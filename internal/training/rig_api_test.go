// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"testing"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

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
	cfg := kubetest.Start(t)
	kinds := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, kubeflowv1.AddToScheme, slipwayv1.AddToScheme} {
		must(t, add(kinds))
	}
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: kinds})
	must(t, err)
	r := &rig{t: t, client: c, ns: kubetest.Namespace(t, cfg)}
	r.node = "node-of-" + r.ns
	r.create(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: r.node}})
	r.runEngine(r.leastPrivilege(cfg), kinds)
	return r
}

// leastPrivilege is the configuration of a user who has Rules in every namespace.
func (r *rig) leastPrivilege(cfg *rest.Config) *rest.Config {
	user := "training-" + r.ns
	r.create(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: Rules()})
	r.create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
	limited := rest.CopyConfig(cfg)
	limited.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	return limited
}

func (r *rig) runEngine(cfg *rest.Config, kinds *runtime.Scheme) {
	r.t.Helper()
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:  kinds,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{r.ns: {}}},
		// Every test has a manager, and names of controllers are unique in a process.
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	must(r.t, err)
	must(r.t, Setup(mgr))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("running the engine: %v", err)
		}
	})
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

// edit changes what the API server has, as often as it takes to hit the newest version.
func edit[T client.Object](r *rig, o T, change func(T), write func(context.Context, client.Object, client.Patch) error) {
	r.t.Helper()
	must(r.t, r.client.Get(r.t.Context(), client.ObjectKeyFromObject(o), o))
	old := o.DeepCopyObject().(client.Object)
	change(o)
	must(r.t, write(r.t.Context(), o, client.MergeFrom(old)))
}

func (r *rig) patch(ctx context.Context, o client.Object, p client.Patch) error {
	return r.client.Patch(ctx, o, p)
}

func (r *rig) patchStatus(ctx context.Context, o client.Object, p client.Patch) error {
	return r.client.Status().Patch(ctx, o, p)
}

// await returns the list as it is when ok first holds for it.
func await[L client.ObjectList](r *rig, what string, list L, ok func(L) bool) L {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	changes, err := r.client.Watch(ctx, list.DeepCopyObject().(L), client.InNamespace(r.ns))
	must(r.t, err)
	defer changes.Stop()
	for {
		must(r.t, r.client.List(ctx, list, client.InNamespace(r.ns)))
		if ok(list) {
			return list
		}
		if _, open := <-changes.ResultChan(); !open {
			r.t.Fatalf("waiting for %s: still %+v", what, list)
		}
	}
}

func (r *rig) awaitJob(name, what string, ok func(*kubeflowv1.PyTorchJob) bool) *kubeflowv1.PyTorchJob {
	r.t.Helper()
	var found *kubeflowv1.PyTorchJob
	await(r, what, &kubeflowv1.PyTorchJobList{}, func(l *kubeflowv1.PyTorchJobList) bool {
		for i := range l.Items {
			if l.Items[i].Name == name && ok(&l.Items[i]) {
				found = &l.Items[i]
			}
		}
		return found != nil
	})
	return found
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
	list := await(r, "gang "+name, &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool {
		for _, gang := range l.Items {
			if gang.Name == name {
				return true
			}
		}
		return false
	})
	for i := range list.Items {
		if list.Items[i].Name == name {
			return &list.Items[i]
		}
	}
	return nil
}

// place plays the scheduler: all pods on one node.
func (r *rig) place(gang *slipwayv1.Gang) {
	r.t.Helper()
	edit(r, gang, func(g *slipwayv1.Gang) {
		g.Status.ObservedGeneration = g.Generation
		meta.SetStatusCondition(&g.Status.Conditions, metav1.Condition{
			Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionTrue, Reason: "Placed", Message: "all pods have a node"})
		g.Status.Placement = nil
		for _, set := range g.Spec.PodSets {
			g.Status.Placement = append(g.Status.Placement,
				slipwayv1.PodSetPlacement{Name: set.Name, Slots: []slipwayv1.Slot{{Node: r.node, Count: set.Count}}})
		}
	}, r.patchStatus)
}

func (r *rig) refusePlace(gang *slipwayv1.Gang, reason, message string) {
	r.t.Helper()
	edit(r, gang, func(g *slipwayv1.Gang) {
		meta.SetStatusCondition(&g.Status.Conditions, metav1.Condition{
			Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionFalse, Reason: reason, Message: message})
	}, r.patchStatus)
}

// phase plays the kubelet.
func (r *rig) phase(name string, phase corev1.PodPhase) {
	r.t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}}
	edit(r, pod, func(p *corev1.Pod) { p.Status.Phase = phase }, r.patchStatus)
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

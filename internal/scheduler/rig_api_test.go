// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
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

// rig is a namespace of a real API server in which the scheduler runs as a user
// who has its rules and no more. The test plays nodes, controllers and people.
type rig struct {
	t      testing.TB
	client client.WithWatch
	ns     string
	kinds  *runtime.Scheme
	user   *rest.Config
	stop   func()
	// scheduler that was started last.
	scheduler *scheduler
}

func newRig(t testing.TB) *rig {
	t.Helper()
	cfg := kubetest.Start(t)
	r := &rig{t: t, kinds: runtime.NewScheme(), ns: kubetest.Namespace(t, cfg)}
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, slipwayv1.AddToScheme} {
		r.must(add(r.kinds))
	}
	var err error
	r.client, err = client.NewWithWatch(cfg, client.Options{Scheme: r.kinds})
	r.must(err)
	r.user = r.leastPrivilege(cfg)
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// leastPrivilege is the access of a user who has Rules in every namespace.
func (r *rig) leastPrivilege(cfg *rest.Config) *rest.Config {
	user := "scheduler-" + r.ns
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

// start a scheduler that sees the pods and gangs of the namespace, and all nodes.
func (r *rig) start() {
	r.t.Helper()
	mgr, err := ctrl.NewManager(r.user, ctrl.Options{
		Scheme:  r.kinds,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{r.ns: {}}},
		// Every test has a manager, and names of controllers are unique in a process.
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	r.must(err)
	r.scheduler, err = setup(mgr)
	r.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("running the scheduler: %v", err)
		}
		r.stop = func() {}
	}
}

func (r *rig) create(o client.Object) {
	r.t.Helper()
	r.must(r.client.Create(r.t.Context(), o))
}

// node makes a node of the test's own, which is gone after it.
func (r *rig) node(name string, cpu, gpu int64) *corev1.Node {
	r.t.Helper()
	n := newNode(r.ns+"-"+name, cpu, gpu)
	n.UID = ""
	status := n.Status
	r.create(n)
	r.t.Cleanup(func() { _ = r.client.Delete(context.Background(), n) })
	// Admission taints every new node as not ready; nobody is here to take that back.
	n.Spec.Taints = nil
	r.must(r.client.Update(r.t.Context(), n))
	n.Status = status
	r.must(r.client.Status().Update(r.t.Context(), n))
	return n
}

func (r *rig) gang(name string, workers int32, gpu int64) *slipwayv1.Gang {
	r.t.Helper()
	g := newGang(name, workers, gpu)
	g.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: r.ns}
	r.create(g)
	return g
}

func (r *rig) pod(name, node, gang string, requests corev1.ResourceList) *corev1.Pod {
	r.t.Helper()
	p := newPod(name, node, requests)
	p.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: r.ns, Labels: map[string]string{}}
	if gang != "" {
		p.Labels[slipwayv1.LabelGang] = gang
	}
	r.create(p)
	return p
}

func (r *rig) delete(o client.Object) {
	r.t.Helper()
	r.must(r.client.Delete(r.t.Context(), o, client.GracePeriodSeconds(0)))
}

// await the gang with a reason of the condition Placed, for its current spec.
func (r *rig) await(name, reason string) *slipwayv1.Gang {
	r.t.Helper()
	return r.awaitThat(name, "to be "+reason, func(g *slipwayv1.Gang) bool { return placedReason(&g.Status) == reason })
}

// awaitAnswer of whatever kind.
func (r *rig) awaitAnswer(name string) *slipwayv1.Gang {
	r.t.Helper()
	return r.awaitThat(name, "to be answered", func(g *slipwayv1.Gang) bool { return placedReason(&g.Status) != "" })
}

func (r *rig) awaitThat(name, what string, ok func(*slipwayv1.Gang) bool) *slipwayv1.Gang {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	// A watch without a version begins with what there is.
	changes, err := r.client.Watch(ctx, &slipwayv1.GangList{}, client.InNamespace(r.ns), client.MatchingFields{"metadata.name": name})
	r.must(err)
	defer changes.Stop()
	last := "absent"
	for e := range changes.ResultChan() {
		g, is := e.Object.(*slipwayv1.Gang)
		if is && g.Status.ObservedGeneration == g.Generation && ok(g) {
			return g
		}
		last = fmt.Sprintf("%+v", e.Object)
	}
	r.t.Fatalf("waiting for gang %s %s: it is %s", name, what, last)
	return nil
}

// get the gang as it is.
func (r *rig) get(name string) *slipwayv1.Gang {
	r.t.Helper()
	g := &slipwayv1.Gang{}
	r.must(r.client.Get(r.t.Context(), client.ObjectKey{Namespace: r.ns, Name: name}, g))
	return g
}

// awaitEvent about the gang.
func (r *rig) awaitEvent(name, reason string) *eventsv1.Event {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	changes, err := r.client.Watch(ctx, &eventsv1.EventList{}, client.InNamespace(r.ns))
	r.must(err)
	defer changes.Stop()
	for e := range changes.ResultChan() {
		if ev, is := e.Object.(*eventsv1.Event); is && ev.Regarding.Name == name && ev.Reason == reason {
			return ev
		}
	}
	r.t.Fatalf("waiting for event %s about gang %s", reason, name)
	return nil
}

func message(g *slipwayv1.Gang) string {
	return g.Status.Placed().Message
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// rig is a namespace of a real API server in which the scheduler runs as a user
// who has its rules and no more. The test plays nodes, controllers and people.
type rig struct {
	t      testing.TB
	client client.WithWatch
	ns     string
	user   *rest.Config
	config *rest.Config // of the test, which may do everything
	// scheduler that was started last, and how to stop it.
	scheduler *scheduler
	stop      func()
}

func newRig(t testing.TB) *rig {
	t.Helper()
	config := kubetest.Start(t)
	r := &rig{t: t, config: config, ns: kubetest.Namespace(t, config)}
	r.client = kubetest.Client(t, config, slipwayv1.AddToScheme)
	r.user = kubetest.Limited(t, config, "scheduler-"+r.ns, Rules())
	r.start()
	return r
}

// tell what all gangs were told, where the test failed.
func (r *rig) tell() {
	var gangs slipwayv1.GangList
	if !r.t.Failed() {
		return
	}
	r.must(r.client.List(r.t.Context(), &gangs, client.InNamespace(r.ns)))
	for i := range gangs.Items {
		g := &gangs.Items[i]
		r.t.Logf("%s: %s: %s; placed at %q", g.Name, placedReason(&g.Status), message(g), places(&g.Status))
	}
}

// settled returns when the API server, just started, follows the policies about pods.
func (r *rig) settled() {
	r.t.Helper()
	kubetest.Until(r.t, "the admission policies to be followed", func(ctx context.Context) bool {
		probe := r.here(ourPod("probe", claimsGPU))
		forged := r.here(ourPod("forged", labelled(slipwayv1.LabelHeld, "true")))
		return r.client.Create(ctx, probe, client.DryRunAll) == nil && isHeld(probe) && probe.Annotations[slipwayv1.AnnotationUser] != "" &&
			apierrors.IsForbidden(r.client.Create(ctx, forged, client.DryRunAll))
	})
}

// claimsGPU of a template, for a container that needs nothing else but a processor.
func claimsGPU(p *corev1.Pod) {
	p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: quantities(1, 0), Claims: []corev1.ResourceClaim{{Name: "gpu"}}}
	p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimTemplateName: ptr.To("gpu")}}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// start a scheduler that sees the pods and gangs of the namespace, and all nodes.
func (r *rig) start() {
	r.t.Helper()
	mgr := kubetest.Manager(r.t, r.user, r.client.Scheme(), kubetest.Within(r.ns))
	var err error
	r.scheduler, err = setup(mgr)
	r.must(err)
	r.stop = kubetest.Run(r.t, mgr)
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
	kubetest.Node(r.t, r.client, n)
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
	return r.awaitThat(name, "the reason "+reason, func(g *slipwayv1.Gang) bool { return placedReason(&g.Status) == reason })
}

// awaitAnswer of whatever kind.
func (r *rig) awaitAnswer(name string) *slipwayv1.Gang {
	r.t.Helper()
	return r.awaitThat(name, "an answer", func(g *slipwayv1.Gang) bool { return placedReason(&g.Status) != "" })
}

func (r *rig) awaitThat(name, what string, ok func(*slipwayv1.Gang) bool) *slipwayv1.Gang {
	r.t.Helper()
	defer r.tell()
	gang := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}}
	return kubetest.Await(r.t, r.client, gang, what, func(g *slipwayv1.Gang) bool {
		return g.Status.ObservedGeneration == g.Generation && ok(g)
	})
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
	var found *eventsv1.Event
	kubetest.AwaitList(r.t, r.client, r.ns, "event "+reason, &eventsv1.EventList{}, func(l *eventsv1.EventList) bool {
		for i, e := range l.Items {
			if e.Regarding.Name == name && e.Reason == reason {
				found = &l.Items[i]
			}
		}
		return found != nil
	})
	return found
}

func message(g *slipwayv1.Gang) string {
	return g.Status.Placed().Message
}

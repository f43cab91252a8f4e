// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
	"slipway.dev/slipway/internal/podset"
)

// as a user who may do everything.
func (r *rig) as(user string) client.Client {
	r.t.Helper()
	c, err := client.New(kubetest.As(r.config, user, "system:masters"), client.Options{Scheme: r.client.Scheme()})
	r.must(err)
	return c
}

const ofControllers = "system:serviceaccount:kube-system:"

// here is the pod in the rig's namespace.
func (r *rig) here(p *corev1.Pod) *corev1.Pod {
	p.ObjectMeta = metav1.ObjectMeta{Name: p.Name, Namespace: r.ns, Labels: p.Labels, Annotations: p.Annotations}
	return p
}

// TestAPIWhosePodsAre: the API server writes down who made a pod that Slipway places, and
// nobody else does.
func TestAPIWhosePodsAre(t *testing.T) {
	r := newRig(t)
	r.settled()
	others := func(p *corev1.Pod) { p.Spec.SchedulerName = corev1.DefaultSchedulerName }
	for name, tt := range map[string]struct {
		user string
		pod  *corev1.Pod
		want string
	}{
		"plain":                {"ada", ourPod("plain"), "ada"},
		"claimed":              {"ada", ourPod("claimed", madeBy("bob")), "ada"},
		"of a replica set":     {ofControllers + "replicaset-controller", ourPod("replica", madeBy("bob")), "bob"},
		"of an old one":        {ofControllers + "replicaset-controller", ourPod("old"), ""},
		"of another scheduler": {"ada", ourPod("other", others, madeBy("bob")), "bob"},
		"of a gang":            {"ada", ourPod("gang", inGang("g")), ""},
		"of one without name":  {"ada", ourPod("nameless", inGang(""), madeBy("bob")), "ada"},
		"held":                 {"ada", heldBack("held", func(p *corev1.Pod) { p.Spec.SchedulerName, p.Spec.SchedulingGates = slipwayv1.SchedulerName, nil }), "ada"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := r.here(tt.pod)
			if name == "held" {
				delete(pod.Labels, slipwayv1.LabelHeld)
			}
			r.must(r.as(tt.user).Create(t.Context(), pod))
			if got := pod.Annotations[slipwayv1.AnnotationUser]; got != tt.want {
				t.Errorf("the pod is %q's, want %q", got, tt.want)
			}
			if tt.want != "ada" {
				return
			}
			kubetest.Edit(t, r.client, pod, madeBy("mallory"))
			if got := pod.Annotations[slipwayv1.AnnotationUser]; got != "ada" {
				t.Errorf("after a change it is %q's", got)
			}
		})
	}
}

// TestAPIWhosePodsOfDeploymentsAre: the template says so, and is not changed again.
func TestAPIWhosePodsOfDeploymentsAre(t *testing.T) {
	r := newRig(t)
	r.settled()
	template := corev1.PodTemplateSpec{Spec: ourPod("x").Spec}
	template.Labels = map[string]string{"app": "x"}
	selector := &metav1.LabelSelector{MatchLabels: template.Labels}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "d", Namespace: r.ns}, Spec: appsv1.DeploymentSpec{Selector: selector, Template: template}}
	r.must(r.as("ada").Create(t.Context(), d))
	kubetest.Edit(t, r.client, d, func(d *appsv1.Deployment) { d.Spec.Template.Annotations = nil })
	if got := d.Spec.Template.Annotations[slipwayv1.AnnotationUser]; got != "ada" || d.Generation != 1 {
		t.Errorf("the template is %q's, in generation %d", got, d.Generation)
	}
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "d-1", Namespace: r.ns}, Spec: appsv1.ReplicaSetSpec{Selector: selector, Template: d.Spec.Template}}
	r.must(r.as(ofControllers+"deployment-controller").Create(t.Context(), set))
	if got := set.Spec.Template.Annotations[slipwayv1.AnnotationUser]; got != "ada" {
		t.Errorf("the template of the replica set is %q's", got)
	}
}

// TestAPIWhoseAPodIsThatLeavesItsGang: who takes it from there, whatever it says.
func TestAPIWhoseAPodIsThatLeavesItsGang(t *testing.T) {
	r := newRig(t)
	r.settled()
	ada := r.as("ada")
	p := r.here(ourPod("forged", inGang("nosuch"), madeBy("bob")))
	r.must(ada.Create(t.Context(), p))
	kubetest.Edit(t, ada, p, func(p *corev1.Pod) { delete(p.Labels, slipwayv1.LabelGang) })
	if got := p.Annotations[slipwayv1.AnnotationUser]; got != "ada" {
		t.Errorf("a pod of no gang, made by ada, is %q's", got)
	}
	kubetest.Edit(t, r.as("bob"), p, madeBy("bob"))
	if got := p.Annotations[slipwayv1.AnnotationUser]; got != "ada" {
		t.Errorf("after a change it is %q's", got)
	}
}

// TestAPIWhoseTemplatesOfHeldPodsAre: who made them, though they name another scheduler.
func TestAPIWhoseTemplatesOfHeldPodsAre(t *testing.T) {
	r := newRig(t)
	r.settled()
	template := corev1.PodTemplateSpec{Spec: ourPod("x").Spec}
	template.Labels = map[string]string{"app": "x", slipwayv1.LabelHeld: "true"}
	template.Annotations = map[string]string{slipwayv1.AnnotationUser: "bob"}
	template.Spec.SchedulerName = corev1.DefaultSchedulerName
	template.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: slipwayv1.GateHeld}}
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "held", Namespace: r.ns}, Spec: appsv1.ReplicaSetSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}}, Template: template}}
	r.must(r.as("ada").Create(t.Context(), set))
	if got := set.Spec.Template.Annotations[slipwayv1.AnnotationUser]; got != "ada" {
		t.Errorf("the template is %q's", got)
	}
	kubetest.Edit(t, r.as("bob"), set, func(s *appsv1.ReplicaSet) { s.Spec.Template.Annotations[slipwayv1.AnnotationUser] = "bob" })
	if got := set.Spec.Template.Annotations[slipwayv1.AnnotationUser]; got != "ada" {
		t.Errorf("after a change it is %q's", got)
	}
}

// TestAPIHeldTemplatesOfOldRun: who made a template is not known where that was before it was written down. It is
// not touched, which would replace all of its pods, and these are placed as nobody's.
func TestAPIHeldTemplatesOfOldRun(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.node("n1", 8, 1)
	held := func(p *corev1.Pod) {
		p.Labels, p.Annotations = map[string]string{"app": "old", slipwayv1.LabelHeld: "true"}, nil
		heldPods(p)
	}
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "old", Namespace: r.ns}, Spec: appsv1.ReplicaSetSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "old"}}}}
	of := ourPod("x", held)
	set.Spec.Template = corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: of.Labels}, Spec: of.Spec}
	r.must(r.as(ofControllers+"deployment-controller").Create(t.Context(), set)) // whose templates nobody looks at
	kubetest.Edit(t, r.as("ada"), set, func(s *appsv1.ReplicaSet) { s.Spec.Replicas = ptr.To[int32](2) })
	if got, is := set.Spec.Template.Annotations[slipwayv1.AnnotationUser]; is {
		t.Errorf("a template that was there before is said to be %q's", got)
	}
	pod := r.here(ourPod("old-1", held))
	r.must(r.as(ofControllers+"replicaset-controller").Create(t.Context(), pod))
	got := kubetest.Await(t, r.client, pod, "to be held to its node", func(p *corev1.Pod) bool { return podset.PinnedTo(p.Spec.Affinity) != "" })
	if user, is := got.Annotations[slipwayv1.AnnotationUser]; is || len(got.Spec.SchedulingGates) > 0 {
		t.Errorf("the pod is %q's, and has the gates %v", user, got.Spec.SchedulingGates)
	}
}

// TestAPIChargedPodsStayOfTheirGroups: by a label of a gang that is not there nobody would be charged.
func TestAPIChargedPodsStayOfTheirGroups(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.node("n1", 8, 1)
	for i, label := range []string{slipwayv1.LabelGang, labelGroup, labelKueueGroup} {
		for place, p := range map[string]*corev1.Pod{
			"bound": ourPod(fmt.Sprint("bound-", i), boundTo(r.ns+"-n1"), labelled("app", "x")),
			"waits": ourPod(fmt.Sprint("waits-", i), labelled("app", "x")),
		} {
			r.create(r.here(p))
			next := p.DeepCopy()
			next.Labels[label] = "elsewhere"
			err := r.as("ada").Patch(t.Context(), next, client.MergeFrom(p))
			told := apierrors.IsForbidden(err) && strings.Contains(err.Error(), "make it again with the other labels")
			if place == "bound" && !told || place == "waits" && err != nil {
				t.Errorf("a pod that %s may get the label %s: %v", place, label, err)
			}
		}
	}
}

// TestAPIChargedPodsStayTheirProjects once they have their place.
func TestAPIChargedPodsStayTheirProjects(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.node("n1", 8, 1)
	move := func(p *corev1.Pod) error {
		next := p.DeepCopy()
		next.Labels[slipwayv1.LabelProject] = "rich"
		return r.as("ada").Patch(t.Context(), next, client.MergeFrom(p))
	}
	waits := ourPod("waits", labelled(slipwayv1.LabelProject, "poor-"+r.ns))
	r.create(r.here(waits))
	if err := move(waits); err != nil {
		t.Errorf("a pod that waits: %v", err)
	}
	bound := ourPod("bound", boundTo(r.ns+"-n1"), labelled(slipwayv1.LabelProject, "poor-"+r.ns))
	r.create(r.here(bound))
	if err := move(bound); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "delete the pod and make it again in the other project") {
		t.Errorf("a pod that is bound: %v", err)
	}
	held := r.here(heldBack("held", func(p *corev1.Pod) { p.Spec.SchedulerName, p.Spec.SchedulingGates = slipwayv1.SchedulerName, nil }))
	delete(held.Labels, slipwayv1.LabelHeld)
	r.create(held)
	if err := move(held); err != nil {
		t.Errorf("a pod that is held back: %v", err)
	}
	kubetest.Edit(t, r.client, held, func(p *corev1.Pod) { p.Spec.SchedulingGates, p.Labels[slipwayv1.LabelProject] = nil, "poor-"+r.ns })
	if err := move(held); !apierrors.IsForbidden(err) {
		t.Errorf("a pod that is held to its node: %v", err)
	}
	others := ourPod("others", boundTo(r.ns+"-n1"), labelled(slipwayv1.LabelProject, "poor-"+r.ns), func(p *corev1.Pod) { p.Spec.SchedulerName = corev1.DefaultSchedulerName })
	r.create(r.here(others))
	if err := move(others); err != nil {
		t.Errorf("a pod of another scheduler: %v", err)
	}
}

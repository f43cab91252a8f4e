// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// model makes the smallest Model that a person would write.
func (r *rig) model(change ...func(*slipwayv1.Model)) *slipwayv1.Model {
	r.Helper()
	model := &slipwayv1.Model{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "tiny"},
		Spec:       slipwayv1.ModelSpec{Engine: slipwayv1.Engine{Container: &slipwayv1.ContainerEngine{Image: "engine:1"}}},
	}
	for _, c := range change {
		c(model)
	}
	r.create(model)
	return model
}

// awaitReady waits for the words of the condition Ready to begin so.
func (r *rig) awaitReady(words string) *slipwayv1.Model {
	r.Helper()
	model := &slipwayv1.Model{ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "tiny"}}
	return kubetest.Await(r, r.client, model, words, func(m *slipwayv1.Model) bool {
		ready := meta.FindStatusCondition(m.Status.Conditions, slipwayv1.ConditionReady)
		return ready != nil && strings.HasPrefix(ready.Reason+": "+ready.Message, words) && ready.ObservedGeneration == m.Generation
	})
}

func (r *rig) awaitDeployment(what string, ok func(*appsv1.Deployment) bool) *appsv1.Deployment {
	r.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "model-tiny"}}
	return kubetest.Await(r, r.client, d, what, ok)
}

// carryOut plays the Deployment's controller.
func (r *rig) carryOut(d *appsv1.Deployment) {
	r.Helper()
	kubetest.EditStatus(r, r.client, d, func(d *appsv1.Deployment) {
		n := *d.Spec.Replicas
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n}
	})
}

func exists(*appsv1.Deployment) bool { return true }

func TestLifeOfAModel(t *testing.T) {
	r := newRig(t)
	model := r.model(func(m *slipwayv1.Model) {
		m.Spec.Engine.Container.Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("1500m"), "memory": resource.MustParse("1024Mi")}
	})
	d := r.awaitDeployment("its deployment", exists)
	if !metav1.IsControlledBy(d, model) {
		t.Errorf("owners: %v", d.OwnerReferences)
	}
	r.awaitReady("Starting: 0 of 1 replica answers")
	r.carryOut(d)
	ready := r.awaitReady("Serving: 1 replica answers")
	if ready.Status.URL != testURL || ready.Status.Selector != "slipway.dev/model=tiny" || ready.Status.ReadyReplicas != 1 {
		t.Errorf("got %+v", ready.Status)
	}

	// The scale subresource is how people and autoscalers stop it.
	kubetest.Edit(r, r.client, ready, func(m *slipwayv1.Model) { m.Spec.Replicas = ptr.To[int32](0) })
	r.carryOut(r.awaitDeployment("no replicas", func(d *appsv1.Deployment) bool { return *d.Spec.Replicas == 0 }))
	r.awaitReady("Stopped: the model is stopped")
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "model-tiny"}}
	r.must(r.client.Get(r.Context(), client.ObjectKeyFromObject(service), service))
	if service.Spec.ClusterIP != corev1.ClusterIPNone || !metav1.IsControlledBy(service, model) {
		t.Errorf("the endpoint is %+v", service)
	}

	kubetest.Edit(r, r.client, ready, func(m *slipwayv1.Model) {
		m.Spec.Replicas, m.Spec.Engine.Container.Port = ptr.To[int32](2), 9000
	})
	d = r.awaitDeployment("another port", func(d *appsv1.Deployment) bool {
		return d.Spec.Template.Spec.Containers[0].Ports[0].ContainerPort == 9000
	})
	r.carryOut(d)
	r.awaitReady("Serving: 2 replicas answer")
	kubetest.AwaitList(r, r.client, r.ns, "an event that says so", &eventsv1.EventList{}, func(l *eventsv1.EventList) bool {
		for _, e := range l.Items {
			if e.Reason == "Serving" && e.Note == "2 replicas answer" {
				return true
			}
		}
		return false
	})
}

// TestNothingIsWrittenTwice: the API server's defaults, quantities in another
// form and its own bookkeeping are no differences.
func TestNothingIsWrittenTwice(t *testing.T) {
	r := newRig(t)
	r.model(fromClaim("run-1", "last"), func(m *slipwayv1.Model) {
		engine := m.Spec.Engine.Container
		engine.Command, engine.Args = []string{"serve"}, []string{"--fast"}
		engine.Env = []corev1.EnvVar{
			{Name: "A", Value: "$(SLIPWAY_MODEL_NAME)"},
			{Name: "HOST", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.hostIP"}}},
		}
		engine.Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("1000m"), "memory": resource.MustParse("1024Mi")}
	})
	d := r.awaitDeployment("its deployment", exists)
	before := d.ResourceVersion
	model := r.awaitReady("ClaimNotFound: 0 of 1 replica answers; there is no PersistentVolumeClaim run-1")
	// A claim brings a pass, whose words come after whatever it writes.
	r.create(&corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "run-1"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("1Gi")}},
		},
	})
	r.awaitReady("Starting: 0 of 1 replica answers")
	r.must(r.client.Get(r.Context(), client.ObjectKeyFromObject(d), d))
	if d.ResourceVersion != before {
		t.Errorf("the deployment was written again: %+v", d.ManagedFields)
	}
	for _, managed := range d.ManagedFields {
		if managed.Manager == fieldOwner && managed.Operation != metav1.ManagedFieldsOperationApply {
			t.Errorf("written by %s", managed.Operation)
		}
	}
	endpoint := &corev1.Service{}
	r.must(r.client.Get(r.Context(), client.ObjectKeyFromObject(d), endpoint))
	for live, want := range map[client.Object]client.Object{d: deployment(model, false), endpoint: service(model)} {
		intent, err := intentOf(want)
		r.must(err)
		if held, err := holds(live, intent); err != nil || !held {
			t.Errorf("what the API server made of %T does not hold: %v", want, err)
		}
	}
}

func TestPodsTellWhy(t *testing.T) {
	r := newRig(t)
	r.model()
	r.awaitDeployment("its deployment", exists)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "model-tiny-1", Labels: map[string]string{slipwayv1.LabelModel: "tiny"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: containerName, Image: "engine:1"}}},
	}
	r.create(pod)
	for _, step := range []struct {
		status corev1.PodStatus
		want   string
	}{
		{podWith(waiting("ErrImagePull", "not found")).Status, "ImageNotPulled: 0 of 1 replica answers; image engine:1 cannot be pulled: not found"},
		{podWith(ended(2, "Error", 3, "ValueError: bad weights\n")).Status, "EngineCrashing: 0 of 1 replica answers; the engine crashes again and again: it ended with exit code 3: ValueError: bad weights"},
	} {
		kubetest.EditStatus(r, r.client, pod, func(p *corev1.Pod) { p.Status = step.status })
		model := r.awaitReady(step.want)
		if !meta.IsStatusConditionTrue(model.Status.Conditions, slipwayv1.ConditionStalled) {
			t.Errorf("got %v", model.Status.Conditions)
		}
	}
	r.must(r.client.Delete(r.Context(), pod))
	r.awaitReady("Starting: ")
}

func TestRefusedByTheAPIServer(t *testing.T) {
	r := newRig(t)
	model := r.model(func(m *slipwayv1.Model) {
		m.Spec.Engine.Container.Resources = corev1.ResourceRequirements{
			Requests: corev1.ResourceList{"cpu": resource.MustParse("2")}, Limits: corev1.ResourceList{"cpu": resource.MustParse("1")},
		}
	})
	r.awaitReady("Refused: 0 of 1 replica answers; applying the deployment: Deployment.apps \"model-tiny\" is invalid")
	kubetest.Edit(r, r.client, model, func(m *slipwayv1.Model) { m.Spec.Engine.Container.Resources = corev1.ResourceRequirements{} })
	r.carryOut(r.awaitDeployment("its deployment", exists))
	r.awaitReady("Serving: ")
}

func TestLeavesOthersAlone(t *testing.T) {
	r := newRig(t)
	theirs := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "model-tiny"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "other"}, Ports: []corev1.ServicePort{{Port: 1}}},
	}
	r.create(theirs)
	r.model()
	r.awaitReady("Refused: 0 of 1 replica answers; applying the service: Service model-tiny exists and is not this Model's")
	r.must(r.client.Get(r.Context(), client.ObjectKeyFromObject(theirs), theirs))
	if theirs.Spec.Selector["app"] != "other" || len(theirs.Labels) > 0 {
		t.Errorf("it was changed: %+v", theirs)
	}
}

func TestDriftIsUndone(t *testing.T) {
	r := newRig(t)
	r.model()
	d := r.awaitDeployment("its deployment", exists)
	kubetest.Edit(r, r.client, d, func(d *appsv1.Deployment) {
		d.Spec.Replicas = ptr.To[int32](5)
		d.Spec.Template.Spec.Containers[0].Image = "other:1"
	})
	r.awaitDeployment("what the model says", func(d *appsv1.Deployment) bool {
		return *d.Spec.Replicas == 1 && d.Spec.Template.Spec.Containers[0].Image == "engine:1" && d.Generation > 2
	})
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func TestEnvironment(t *testing.T) {
	own := func(m *slipwayv1.Model) {
		m.Spec.Engine.Container.Env = []corev1.EnvVar{{Name: "SLIPWAY_MODEL_NAME", Value: "other"}, {Name: "HF_HOME", Value: "/tmp"}}
	}
	for _, c := range []struct {
		name  string
		model *slipwayv1.Model
		want  []corev1.EnvVar
	}{
		{"no source", modelWith(), []corev1.EnvVar{{Name: "SLIPWAY_MODEL_NAME", Value: "tiny"}, {Name: "SLIPWAY_MODEL_PATH"}}},
		{"a claim", modelWith(fromClaim("run-1", "last")),
			[]corev1.EnvVar{{Name: "SLIPWAY_MODEL_NAME", Value: "tiny"}, {Name: "SLIPWAY_MODEL_PATH", Value: "/models"}}},
		{"the user's wins, no name twice", modelWith(own),
			[]corev1.EnvVar{{Name: "SLIPWAY_MODEL_PATH"}, {Name: "SLIPWAY_MODEL_NAME", Value: "other"}, {Name: "HF_HOME", Value: "/tmp"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, environment(c.model)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWeights(t *testing.T) {
	pod := podTemplate(modelWith(fromClaim("run-1", "checkpoints/last")), false).Spec
	want := corev1.VolumeMount{Name: "weights", MountPath: "/models", SubPath: "checkpoints/last", ReadOnly: true}
	if diff := cmp.Diff(want, pod.Containers[0].VolumeMounts[1]); diff != "" {
		t.Errorf("mount (-want +got):\n%s", diff)
	}
	if got := pod.Volumes[1].PersistentVolumeClaim.ClaimName; got != "run-1" {
		t.Errorf("claim: got %s", got)
	}
	bare := podTemplate(modelWith(), false).Spec
	if len(bare.Volumes) != 1 || len(bare.Containers[0].VolumeMounts) != 1 {
		t.Errorf("without a source: got volumes %v, mounts %v", bare.Volumes, bare.Containers[0].VolumeMounts)
	}
}

// TestReplicaLeavesBeforeItIsStopped: requests that were on their way are
// answered, and what it has begun still has the whole of GracePeriod.
func TestReplicaLeavesBeforeItIsStopped(t *testing.T) {
	pod := podTemplate(modelWith(), false).Spec
	lifecycle := pod.Containers[0].Lifecycle
	if lifecycle == nil || lifecycle.PreStop == nil || lifecycle.PreStop.Sleep == nil {
		t.Fatalf("got %+v, want a pause before SIGTERM", lifecycle)
	}
	pause := time.Duration(lifecycle.PreStop.Sleep.Seconds) * time.Second
	if got := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second; pause < time.Second || got != pause+GracePeriod {
		t.Errorf("got a pause of %s in a grace period of %s", pause, got)
	}
}

func TestRunAsNonRoot(t *testing.T) {
	if got := podTemplate(modelWith(), false).Spec.SecurityContext.RunAsNonRoot; got != nil {
		t.Errorf("want it left to the image, got %v", *got)
	}
	if got := podTemplate(modelWith(), true).Spec.SecurityContext.RunAsNonRoot; got == nil || !*got {
		t.Error("want true where the namespace is restricted")
	}
}

// TestHolds: what the API server makes of an intent holds, and each change to
// either side does not.
func TestHolds(t *testing.T) {
	base := modelWith(fromClaim("run-1", "last"), func(m *slipwayv1.Model) {
		engine := m.Spec.Engine.Container
		engine.Env = []corev1.EnvVar{{Name: "A", Value: "1"}}
		engine.Args = []string{"--fast"}
		engine.Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("1000m")}
	})
	path := func(fields ...string) []string { return fields }
	for _, c := range []struct {
		name  string
		model func(*slipwayv1.Model)
		live  func(t *testing.T, fields map[string]any)
		want  bool
	}{
		{"nothing", nil, nil, true},
		{"the API server's defaults", nil, set(path("spec", "progressDeadlineSeconds"), int64(600)), true},
		{"somebody's annotation", nil, set(path("metadata", "annotations", "note"), "x"), true},
		{"somebody's sidecar", nil, func(t *testing.T, fields map[string]any) {
			list, _, err := unstructured.NestedSlice(fields, "spec", "template", "spec", "containers")
			if err != nil {
				t.Fatal(err)
			}
			set(path("spec", "template", "spec", "containers"), append(list, map[string]any{"name": "proxy"}))(t, fields)
		}, true},
		{"somebody's restart", nil, set(path("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"), "now"), true},
		{"somebody scaled it", nil, set(path("spec", "replicas"), int64(5)), false},
		{"somebody changed a zero", nil, set(path("spec", "strategy", "rollingUpdate", "maxUnavailable"), "50%"), false},
		{"somebody mounted a token", nil, set(path("spec", "template", "spec", "automountServiceAccountToken"), true), false},
		{"somebody took our label", nil, set(path("metadata", "labels", slipwayv1.LabelModel), "other"), false},
		{"somebody took the owner", nil, set(path("metadata", "ownerReferences"), []any{}), false},
		{"another image", func(m *slipwayv1.Model) { m.Spec.Engine.Container.Image = "engine:2" }, nil, false},
		{"another port", func(m *slipwayv1.Model) { m.Spec.Engine.Container.Port = 9000 }, nil, false},
		{"a variable less", func(m *slipwayv1.Model) { m.Spec.Engine.Container.Env = nil }, nil, false},
		{"an argument less", func(m *slipwayv1.Model) { m.Spec.Engine.Container.Args = nil }, nil, false},
		{"no source", func(m *slipwayv1.Model) { m.Spec.Source = nil }, nil, false},
		{"no replicas", replicas(0), nil, false},
		{"the same quantity", func(m *slipwayv1.Model) {
			m.Spec.Engine.Container.Resources.Limits["cpu"] = resource.MustParse("1")
		}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := base.DeepCopy()
			if c.model != nil {
				c.model(want)
			}
			if got := holdsAfter(t, base, c.live, want); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// holdsAfter applies what is wanted for one version of a Model, changes it, and
// says whether what is wanted for another holds.
func holdsAfter(t *testing.T, before *slipwayv1.Model, live func(*testing.T, map[string]any), after *slipwayv1.Model) bool {
	t.Helper()
	applied, err := intentOf(deployment(decoded(t, before), false))
	if err != nil {
		t.Fatal(err)
	}
	if live != nil {
		live(t, applied.Object)
	}
	there := deployment(before, false)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(applied.Object, there); err != nil {
		t.Fatal(err)
	}
	want, err := intentOf(deployment(decoded(t, after), false))
	if err != nil {
		t.Fatal(err)
	}
	held, err := holds(there, want)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// decoded is the Model as a client reads it: quantities in their canonical form.
func decoded(t *testing.T, model *slipwayv1.Model) *slipwayv1.Model {
	t.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(model)
	if err != nil {
		t.Fatal(err)
	}
	out := &slipwayv1.Model{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func set(path []string, value any) func(*testing.T, map[string]any) {
	return func(t *testing.T, fields map[string]any) {
		t.Helper()
		if err := unstructured.SetNestedField(fields, value, path...); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNamesAndOwner(t *testing.T) {
	model := modelWith()
	for _, meta := range []metav1.ObjectMeta{deployment(model, false).ObjectMeta, service(model).ObjectMeta} {
		if meta.Name != "model-tiny" || meta.Namespace != "team" || meta.Labels[slipwayv1.LabelModel] != "tiny" || !metav1.IsControlledBy(&meta, model) {
			t.Errorf("got %+v", meta)
		}
	}
}

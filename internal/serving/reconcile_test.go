// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// world is a cluster in memory whose writes are counted.
type world struct {
	reconciler
	writes []string
	refuse error // what applying answers, when set
	events *events.FakeRecorder
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	w := &world{events: events.NewFakeRecorder(100)}
	objects = append(objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}})
	c := fake.NewClientBuilder().WithScheme(kubetest.Kinds(t, slipwayv1.AddToScheme)).WithObjects(objects...).WithStatusSubresource(&slipwayv1.Model{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
				kind := o.(interface{ GetKind() string }).GetKind()
				w.writes = append(w.writes, kind)
				if w.refuse != nil && kind == "Deployment" {
					return w.refuse
				}
				return c.Apply(ctx, o, opts...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
				w.writes = append(w.writes, sub)
				return c.SubResource(sub).Patch(ctx, o, p, opts...)
			},
		}).Build()
	w.reconciler = reconciler{url: testURL, client: c, live: c, events: w.events}
	return w
}

// pass reconciles once and returns what was written.
func (w *world) pass(t *testing.T) (ctrl.Result, []string) {
	t.Helper()
	w.writes = nil
	result, err := w.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "team", Name: "tiny"}})
	if err != nil {
		t.Fatal(err)
	}
	return result, w.writes
}

func (w *world) model(t *testing.T) *slipwayv1.Model {
	t.Helper()
	model := &slipwayv1.Model{}
	if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: "tiny"}, model); err != nil {
		t.Fatal(err)
	}
	return model
}

func (w *world) deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	d := &appsv1.Deployment{}
	if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: "model-tiny"}, d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) update(t *testing.T, object client.Object) {
	t.Helper()
	if err := w.client.Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

func (w *world) wantEvent(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-w.events.Events:
		if !strings.HasPrefix(got, want) {
			t.Errorf("event: got %q, want %q", got, want)
		}
	default:
		t.Errorf("no event, want %q", want)
	}
}

func wantWrites(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("writes: got %q, want %q", got, want)
	}
}

func TestWritesOnlyOnChange(t *testing.T) {
	w := newWorld(t, modelWith())
	_, writes := w.pass(t)
	wantWrites(t, writes, "Service", "Deployment", "status")
	_, writes = w.pass(t)
	wantWrites(t, writes)

	d := w.deployment(t)
	d.Status = deploymentWith(1, 1, 1).Status
	if err := w.client.Status().Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	_, writes = w.pass(t)
	wantWrites(t, writes, "status")
	if got := summary(t, w.model(t).Status); got != "Ready=Serving; 1 replica answers" {
		t.Errorf("got %s", got)
	}
	for _, want := range []string{"Normal Starting", "Normal Serving"} {
		w.wantEvent(t, want)
	}
}

func TestDriftIsRepaired(t *testing.T) {
	w := newWorld(t, modelWith(replicas(0)))
	w.pass(t)
	d := w.deployment(t)
	*d.Spec.Replicas = 7
	d.Spec.Template.Annotations = map[string]string{"restartedAt": "now"}
	w.update(t, d)
	_, writes := w.pass(t)
	if !slices.Contains(writes, "Deployment") {
		t.Errorf("got writes %q", writes)
	}
	d = w.deployment(t)
	if *d.Spec.Replicas != 0 || d.Spec.Template.Annotations["restartedAt"] != "now" {
		t.Errorf("got replicas %d, annotations %v", *d.Spec.Replicas, d.Spec.Template.Annotations)
	}
}

func TestRemovedFieldGoes(t *testing.T) {
	w := newWorld(t, modelWith(fromClaim("run-1", "last")))
	w.pass(t)
	if got := summary(t, w.model(t).Status); !strings.HasPrefix(got, "Stalled=ClaimNotFound") {
		t.Errorf("got %s", got)
	}
	model := w.model(t)
	model.Spec.Source = nil
	w.update(t, model)
	w.pass(t)
	if got := w.deployment(t).Spec.Template.Spec; len(got.Volumes) != 1 || len(got.Containers[0].VolumeMounts) != 1 {
		t.Errorf("got volumes %v, mounts %v", got.Volumes, got.Containers[0].VolumeMounts)
	}
}

func TestRestrictedNamespace(t *testing.T) {
	w := newWorld(t, modelWith())
	namespace := &corev1.Namespace{}
	if err := w.client.Get(t.Context(), client.ObjectKey{Name: "team"}, namespace); err != nil {
		t.Fatal(err)
	}
	namespace.Labels = map[string]string{labelEnforce: "restricted"}
	w.update(t, namespace)
	w.pass(t)
	if got := w.deployment(t).Spec.Template.Spec.SecurityContext.RunAsNonRoot; got == nil || !*got {
		t.Errorf("got runAsNonRoot %v", got)
	}
}

func TestNameOfSomebodyElse(t *testing.T) {
	w := newWorld(t, modelWith(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "model-tiny"}})
	result, writes := w.pass(t)
	wantWrites(t, writes, "status")
	if result.RequeueAfter != blockedDelay {
		t.Errorf("got %+v", result)
	}
	want := "Stalled=Refused; 0 of 1 replica answers; applying the service: Service model-tiny exists and is not this Model's; delete it or give the Model another name"
	if got := summary(t, w.model(t).Status); got != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
	}
	w.wantEvent(t, "Warning Refused")
}

// TestMadeAgain: what a deleted Model of the same name has left is waited for, and
// no person is asked to do anything about it.
func TestMadeAgain(t *testing.T) {
	old, fresh := modelWith(), modelWith()
	old.UID, fresh.UID = "old", "new"
	left := service(old)
	w := newWorld(t, fresh, left)
	result, writes := w.pass(t)
	wantWrites(t, writes)
	if result.RequeueAfter != staleDelay {
		t.Errorf("got %+v", result)
	}
	if err := w.client.Delete(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	_, writes = w.pass(t)
	wantWrites(t, writes, "Service", "Deployment", "status")
}

// TestOwnerOfAnotherKind: somebody's object of the same name is not waited for.
func TestOwnerOfAnotherKind(t *testing.T) {
	for name, owner := range map[string]metav1.OwnerReference{
		"another group": {APIVersion: "example.org/v1", Kind: "Model", Name: "tiny"},
		"another kind":  {APIVersion: slipwayv1.GroupVersion.String(), Kind: "App", Name: "tiny"},
		"another name":  {APIVersion: slipwayv1.GroupVersion.String(), Kind: "Model", Name: "big"},
	} {
		t.Run(name, func(t *testing.T) {
			owner.Controller = ptr.To(true)
			theirs := service(modelWith())
			theirs.OwnerReferences = []metav1.OwnerReference{owner}
			w := newWorld(t, modelWith(), theirs)
			w.pass(t)
			if got := summary(t, w.model(t).Status); !strings.HasPrefix(got, "Stalled=Refused") {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestRefusal(t *testing.T) {
	kind := schema.GroupResource{Group: "apps", Resource: "deployments"}
	for _, c := range []struct {
		name    string
		err     error
		stalled bool
		retry   bool // by an error, with back-off
	}{
		{"forbidden", apierrors.NewForbidden(kind, "model-tiny", errors.New("quota")), true, false},
		{"invalid", apierrors.NewInvalid(schema.GroupKind{Kind: "Deployment"}, "model-tiny", nil), true, false},
		{"conflict", apierrors.NewConflict(kind, "model-tiny", errors.New("newer")), false, false},
		{"away", apierrors.NewServiceUnavailable("starting"), false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, modelWith())
			w.refuse = c.err
			_, err := w.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "team", Name: "tiny"}})
			if (err != nil) != c.retry {
				t.Errorf("got error %v", err)
			}
			if stalled := len(w.model(t).Status.Conditions) > 0; stalled != c.stalled {
				t.Errorf("got conditions %v", w.model(t).Status.Conditions)
			}
		})
	}
}

func TestDeletedModelIsLeftAlone(t *testing.T) {
	gone := modelWith(func(m *slipwayv1.Model) {
		m.DeletionTimestamp = &metav1.Time{Time: metav1.Now().Time}
		m.Finalizers = []string{"somebody/elses"}
	})
	_, writes := newWorld(t, gone).pass(t)
	wantWrites(t, writes)
	_, writes = newWorld(t).pass(t)
	wantWrites(t, writes)
}

// TestNamespaceEnds: what is refused where all is being deleted is nobody's fault.
func TestNamespaceEnds(t *testing.T) {
	w := newWorld(t, modelWith())
	w.refuse = kubetest.RefusedAsEnding()
	result, writes := w.pass(t)
	if said := kubetest.Told(w.events); result != (ctrl.Result{}) || slices.Contains(writes, "status") || len(said) > 0 {
		t.Errorf("looks again after %v, writes %v, says %q", result.RequeueAfter, writes, said)
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	team := &corev1.Namespace{}
	must(w.client.Get(t.Context(), client.ObjectKey{Name: "team"}, team))
	team.Finalizers = []string{"test/stays"}
	must(w.client.Update(t.Context(), team))
	must(w.client.Delete(t.Context(), team))
	if result, writes := w.pass(t); result != (ctrl.Result{}) || len(writes) > 0 {
		t.Errorf("looks again after %v, writes %v", result.RequeueAfter, writes)
	}
}

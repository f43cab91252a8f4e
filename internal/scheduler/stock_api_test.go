// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// deviceClass of the test's own, of devices that an expression holds for.
func (r *rig) deviceClass(name, expression string) string {
	r.t.Helper()
	c := newDeviceClass(r.ns+"-"+name, expression)
	c.UID = ""
	r.create(c)
	r.t.Cleanup(func() { _ = r.client.Delete(context.Background(), c) })
	return c.Name
}

// publish devices of these models on a node, as its driver does.
func (r *rig) publish(node string, models ...string) {
	r.t.Helper()
	s := newSlice(r.ns+"-"+node, models...)
	s.UID = ""
	r.create(s)
	r.t.Cleanup(func() { _ = r.client.Delete(context.Background(), s) })
}

// allocate a device of a node to a claim, for a pod if there is one, as the default scheduler
// does.
func (r *rig) allocate(name, class, node, device string, pod *corev1.Pod) *resourcev1.ResourceClaim {
	r.t.Helper()
	c := &resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}}
	c.Spec.Devices.Requests = []resourcev1.DeviceRequest{{Name: "gpu", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: class}}}
	r.create(c)
	told := newClaim(name, "", r.ns+"-"+node, device)
	c.Status = told.Status
	if pod != nil {
		c.Status.ReservedFor = []resourcev1.ResourceClaimConsumerReference{{Resource: "pods", Name: pod.Name, UID: pod.UID}}
	}
	r.must(r.client.Status().Update(r.t.Context(), c))
	return c
}

// claiming makes a gang of workers with one device of the class each.
func (r *rig) claiming(name string, workers int32, class string, selectors ...string) {
	r.t.Helper()
	g := claiming(name, workers, class, selectors...)
	g.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: r.ns}
	r.create(g)
}

func TestAPIGangsGoWhereDevicesAre(t *testing.T) {
	r := newRig(t)
	for _, node := range []string{"n1", "n2", "n3"} {
		r.node(node, 8, 0)
	}
	class := r.deviceClass("gpu", anyGPU)
	r.publish("n2", "h100", "a100")
	r.claiming("a", 2, class)
	if got, want := places(&r.await("a", "Placed").Status), fmt.Sprintf("worker %s-n2*2", r.ns); got != want {
		t.Errorf("placed on %q, want %q", got, want)
	}
	r.publish("n3", "h100")
	r.claiming("b", 2, class)
	g := r.await("b", "InsufficientResources")
	if want := fmt.Sprintf("too little %s.deviceclass.resource.k8s.io/devices (0 free of 2)", class); !strings.Contains(message(g), want) {
		t.Errorf("b waits: %s; want %q", message(g), want)
	}
	r.publish("n1", "a100", "h100")
	if got := places(&r.await("b", "Placed").Status); strings.Contains(got, "-n2*") {
		t.Errorf("b is placed on %q, where a is", got)
	}
}

func TestAPIClaimsCount(t *testing.T) {
	r := newRig(t)
	r.node("n1", 8, 0)
	class := r.deviceClass("gpu", anyGPU)
	r.publish("n1", "h100", "h100", "h100")
	other := r.allocate("other", class, "n1", "0", nil)
	r.claiming("a", 3, class)
	r.await("a", "InsufficientResources")
	r.claiming("b", 1, class)
	r.await("b", "Placed")

	p := claimant("b", 0, r.ns+"-n1")
	p.ObjectMeta = metav1.ObjectMeta{Name: p.Name, Namespace: r.ns, Labels: p.Labels}
	// Nobody makes claims of templates here.
	p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimName: ptr.To("b-0")}}
	r.create(p)
	r.allocate("b-0", class, "n1", "1", p)
	r.claiming("c", 1, class)
	r.await("c", "Placed") // the third device: b has one, not two
	r.delete(other)
	r.claiming("d", 1, class)
	r.await("d", "Placed")
}

// TestAPIDevicesAreLimitedAndReplayed: a quota on a device class holds, and the snapshot of
// the scheduler says the same when it is decided again.
func TestAPIDevicesAreLimitedAndReplayed(t *testing.T) {
	r := newRig(t)
	r.node("n1", 8, 0)
	class := r.deviceClass("gpu", anyGPU)
	name := corev1.ResourceName(class + corev1.ResourceClaimsPerClass)
	r.publish("n1", "h100", "a100", "a100")
	project := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: r.ns}, Spec: slipwayv1.ProjectSpec{
		Quota: []slipwayv1.Quota{{Resource: name, Limit: ptr.To(resource.MustParse("1"))}}}}
	r.create(project)
	t.Cleanup(func() { _ = r.client.Delete(context.Background(), project) })
	for i, selector := range []string{onH100, `device.attributes["gpu.example.com"].model != "h100"`} {
		g := claiming(fmt.Sprint("g", i), 1, class, selector)
		g.ObjectMeta = metav1.ObjectMeta{Name: g.Name, Namespace: r.ns}
		g.Spec.Project = r.ns
		r.create(g)
		r.await(g.Name, []string{"Placed", "QuotaExceeded"}[i])
	}

	answer := httptest.NewRecorder()
	debug{r.scheduler}.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, debugPath, nil))
	s, err := snapshot.Read(bytes.NewReader(answer.Body.Bytes()))
	r.must(err)
	d := Decide(s)
	for i := range 2 {
		name := fmt.Sprint("g", i)
		a, _ := d.Answer(types.NamespacedName{Namespace: r.ns, Name: name})
		if got, want := placedReason(&a.Status), placedReason(&r.get(name).Status); got != want {
			t.Errorf("%s is %s in the snapshot, and %s in the cluster", name, got, want)
		}
	}
	taken := d.NodeUse(r.ns + "-n1").Taken[name]
	if taken.Value() != 1 {
		t.Errorf("%s devices are taken, want 1", taken.String())
	}
}

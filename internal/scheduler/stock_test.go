// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

const deviceDriver = "gpu.example.com"

// newDeviceClass of devices that an expression holds for.
func newDeviceClass(name, expression string) *resourcev1.DeviceClass {
	return &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("class-" + name)}, Spec: resourcev1.DeviceClassSpec{
		Selectors: []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: expression}}}}}
}

// newSlice publishes devices of these models on a node, named 0, 1 and so on.
func newSlice(node string, models ...string) *resourcev1.ResourceSlice {
	s := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: node, UID: types.UID("slice-" + node)}, Spec: resourcev1.ResourceSliceSpec{
		Driver: deviceDriver, NodeName: &node, Pool: resourcev1.ResourcePool{Name: node, Generation: 1, ResourceSliceCount: 1}}}
	for i, model := range models {
		s.Spec.Devices = append(s.Spec.Devices, resourcev1.Device{Name: fmt.Sprint(i),
			Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{"model": {StringValue: &model}}})
	}
	return s
}

// newClaim has devices of a node and is reserved for a pod, if one is named.
func newClaim(name, pod, node string, devices ...string) *resourcev1.ResourceClaim {
	c := &resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID("claim-" + name)}}
	if len(devices) > 0 {
		c.Status.Allocation = &resourcev1.AllocationResult{}
	}
	for _, d := range devices {
		c.Status.Allocation.Devices.Results = append(c.Status.Allocation.Devices.Results,
			resourcev1.DeviceRequestAllocationResult{Request: "gpu", Driver: deviceDriver, Pool: node, Device: d})
	}
	if pod != "" {
		c.Status.ReservedFor = []resourcev1.ResourceClaimConsumerReference{{Resource: "pods", Name: pod, UID: types.UID("uid-" + pod)}}
	}
	return c
}

// claiming gang has workers with one device of the class each.
func claiming(name string, workers int32, class string, selectors ...string) *slipwayv1.Gang {
	g := newGang(name, workers, 0)
	g.Spec.PodSets[0].Devices = []slipwayv1.DeviceRequest{{DeviceClass: class, Count: 1, Selectors: selectors}}
	return g
}

// claimant is a pod of a rank of a gang, with a claim.
func claimant(gang string, rank int, node string) *corev1.Pod {
	p := newPod(fmt.Sprintf("%s-%d", gang, rank), node, quantities(1, 0))
	p.Labels = map[string]string{slipwayv1.LabelGang: gang, slipwayv1.LabelPodSet: "worker", slipwayv1.LabelRank: fmt.Sprint(rank)}
	p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimTemplateName: ptr.To("gpu")}}
	return p
}

const (
	anyGPU = `device.driver == "gpu.example.com"`
	onH100 = `device.attributes["gpu.example.com"].model == "h100"`
)

// cached is an object as the platform's cache holds it.
func cached(t *testing.T, o client.Object) client.Object {
	t.Helper()
	kept, err := Slim(cache.TransformStripManagedFields())(o)
	if err != nil {
		t.Fatal(err)
	}
	return kept.(client.Object)
}

// message of a gang's condition.
func (s *server) message(name string) string { return message(s.gang(name)) }

func TestGangsGoWhereDevicesAre(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 0), newNode("n2", 8, 0), newNode("n3", 8, 0), newDeviceClass("gpu", anyGPU))
	s.set(claiming("a", 3, "gpu"))
	s.set(cached(t, newSlice("n2", "h100", "h100")))
	s.set(cached(t, newSlice("n3", "a100", "a100")))
	s.set(claiming("b", 2, "gpu"))
	s.set(claiming("never", 5, "gpu"))
	s.settle()
	s.expect(map[string]string{
		"a":     "Placed Ready (Placed) worker n2*2 n3*1",
		"b":     "Reconciling (InsufficientResources)",
		"never": "Stalled (NeverFits)",
	})
	want := "needs 2 pods of 1 cpu and 1 gpu.deviceclass.resource.k8s.io/devices each at once; 1 fits now: " +
		"1 node has too little gpu.deviceclass.resource.k8s.io/devices (0 free of 2), 1 node has no gpu.deviceclass.resource.k8s.io/devices"
	if got := s.message("b"); got != want {
		t.Errorf("says %q; want %q", got, want)
	}
	s.set(newSlice("n1", "h100", "h100", "h100"))
	s.settle()
	s.expect(map[string]string{"b": "Placed Ready (Placed) worker n3*1 n1*1", "never": "Reconciling (InsufficientResources)"})
}

// TestOthersClaimsCount the moment they are seen, and no longer than they have devices.
func TestOthersClaimsCount(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 0), newDeviceClass("gpu", anyGPU), newSlice("n1", "h100", "h100"), newClaim("other", "", "n1", "0"))
	s.set(claiming("a", 2, "gpu"))
	s.settle()
	s.expect(map[string]string{"a": "Reconciling (InsufficientResources)"})
	if s.set(newClaim("other", "somebody", "n1", "0")); s.settle() != 0 {
		t.Error("whose claim it is makes a difference")
	}
	s.set(newClaim("other", "", "n1"))
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*2"})

	s.set(newClaim("more", "", "n1", "0")) // somebody was faster
	s.settle()
	s.expect(map[string]string{"a": "Reconciling (NodeLost) worker n1*2"})
	if got, want := s.message("a"), "lost their room on node n1"; !strings.Contains(got, want) {
		t.Errorf("says %q; want %q", got, want)
	}
	s.ledger.remove(newClaim("more", "", "n1", "0"))
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*2"})
}

// TestOwnClaimsCountOnce beside what the gang reserves, whichever is heard of first, and until
// the devices are free again.
func TestOwnClaimsCountOnce(t *testing.T) {
	for name, podFirst := range map[string]bool{"the pod first": true, "the claim first": false} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, newNode("n1", 8, 0), newDeviceClass("gpu", anyGPU), newSlice("n1", "h100", "h100", "h100", "h100"), claiming("a", 2, "gpu"))
			s.settle()
			for rank := range 2 {
				pod, claim := claimant("a", rank, "n1"), newClaim(fmt.Sprint("a-", rank), fmt.Sprint("a-", rank), "n1", fmt.Sprint(rank))
				if podFirst {
					s.set(pod)
				}
				s.set(claim)
				s.set(pod)
			}
			s.set(claiming("b", 2, "gpu"))
			s.settle()
			s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*2", "b": "Placed Ready (Placed) worker n1*2"})

			s.ledger.remove(claimant("a", 0, "n1")) // its claim outlives it
			s.ledger.remove(s.gang("a"))
			s.set(claiming("c", 1, "gpu"))
			s.settle()
			s.expect(map[string]string{"b": "Placed Ready (Placed) worker n1*2", "c": "Reconciling (InsufficientResources)"})
			s.ledger.remove(newClaim("a-0", "a-0", "n1", "0"))
			s.settle()
			s.expect(map[string]string{"c": "Placed Ready (Placed) worker n1*1"})
		})
	}
}

// TestNarrowerRequestsOfGangs: who asks for few of the devices of a class keeps them free of
// those who would take any.
func TestNarrowerRequestsOfGangs(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 0), newNode("n2", 8, 0), newDeviceClass("gpu", anyGPU), newSlice("n1", "h100", "a100"), newSlice("n2", "a100"))
	s.set(claiming("narrow", 2, "gpu", onH100))
	s.set(claiming("a", 1, "gpu", onH100))
	s.set(claiming("b", 2, "gpu"))
	s.set(claiming("c", 1, "gpu"))
	s.settle()
	s.expect(map[string]string{
		"narrow": "Stalled (NeverFits)",
		"a":      "Placed Ready (Placed) worker n1*1",
		"b":      "Placed Ready (Placed) worker n2*1 n1*1",
		"c":      "Reconciling (InsufficientResources)",
	})
	want := `needs 2 pods of 1 cpu and 1 gpu.deviceclass.resource.k8s.io/devices each at once; 1 fits on the empty cluster: ` +
		`1 node has no gpu.deviceclass.resource.k8s.io/devices where device.attributes["gpu.example.com"].model == "h100"`
	if got := s.message("narrow"); !strings.HasPrefix(got, want) {
		t.Errorf("says %q; want %q", got, want)
	}
}

// TestOverlappingClasses: a device of two classes is promised once, also where that they
// overlap comes to light while gangs run.
func TestOverlappingClasses(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 0), newDeviceClass("gpu", anyGPU), newSlice("n1", "h100", "a100"), claiming("a", 1, "gpu"))
	s.settle()
	s.set(newDeviceClass("h100", onH100))
	s.set(claiming("b", 1, "h100"))
	s.set(claiming("c", 1, "gpu"))
	s.settle()
	s.expect(map[string]string{
		"a": "Placed Ready (Placed) worker n1*1", "b": "Placed Ready (Placed) worker n1*1", "c": "Reconciling (InsufficientResources)"})
	if got, want := s.message("c"), "1 node has too little devices of gpu or h100 (0 free of 2)"; !strings.Contains(got, want) {
		t.Errorf("says %q; want %q", got, want)
	}
	s.set(newClaim("a-0", "a-0", "n1", "0")) // the default scheduler gave the wrong one
	s.set(claimant("a", 0, "n1"))
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*1", "b": "Reconciling (NodeLost) worker n1*1"})
}

// TestClassesComeAndGo: a gang that waits says what is missing, and one that runs does not
// stop because somebody deleted a class.
func TestClassesComeAndGo(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 0), newSlice("n1", "h100"), claiming("a", 1, "gpu"))
	s.settle()
	s.expect(map[string]string{"a": "Stalled (InvalidSpec)"})
	if got, want := s.message("a"), `pod set "worker": devices[0]: there is no DeviceClass gpu; make it or name another`; !strings.Contains(got, want) {
		t.Errorf("says %q; want %q", got, want)
	}
	s.set(newDeviceClass("gpu", anyGPU))
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*1"})
	s.set(newClaim("a-0", "a-0", "n1", "0"))
	s.set(claimant("a", 0, "n1"))
	s.settle()

	s.ledger.remove(newDeviceClass("gpu", anyGPU))
	s.set(claiming("b", 1, "gpu"))
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*1", "b": "Stalled (InvalidSpec)"})
	s.ledger.remove(newSlice("n1", "h100"))
	s.set(newDeviceClass("gpu", anyGPU))
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*1", "b": "Stalled (NeverFits)"})
}

func TestQuotaOfADeviceClass(t *testing.T) {
	class := corev1.ResourceName("gpu.deviceclass.resource.k8s.io/devices")
	project := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "vision", UID: "vision"}, Spec: slipwayv1.ProjectSpec{
		Quota: []slipwayv1.Quota{{Resource: class, Limit: ptr.To(resource.MustParse("2"))}}}}
	s := newServer(t, newNode("n1", 8, 0), newDeviceClass("gpu", anyGPU), newSlice("n1", "h100", "h100", "h100"), project)
	for _, g := range []*slipwayv1.Gang{claiming("a", 2, "gpu"), claiming("b", 1, "gpu", onH100)} {
		g.Spec.Project = "vision"
		s.set(g)
	}
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*2", "b": "Reconciling (QuotaExceeded)"})
	if got, want := s.message("b"), "needs 1 "+string(class)+"; project vision may use 2 and uses 2"; got != want {
		t.Errorf("says %q; want %q", got, want)
	}
}

// TestDevicesAfterARestart, whichever kind is heard of first, are as they were; so are they
// in a snapshot that is decided again.
func TestDevicesAfterARestart(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 0), newNode("n2", 8, 0), newDeviceClass("gpu", anyGPU), newDeviceClass("h100", onH100),
		newSlice("n1", "h100", "a100"), newSlice("n2", "a100"), newClaim("other", "", "n2", "0"))
	s.set(claiming("a", 1, "h100"))
	s.settle()
	s.set(claiming("b", 1, "gpu"))
	s.set(claiming("c", 1, "gpu", onH100))
	s.set(claimant("a", 0, "n1"))
	s.set(newClaim("a-0", "a-0", "n1", "0"))
	s.settle()
	want := map[string]string{
		"a": "Placed Ready (Placed) worker n1*1", "b": "Placed Ready (Placed) worker n1*1", "c": "Reconciling (InsufficientResources)"}
	s.expect(want)

	restarted := newServer(t)
	restarted.gangs = s.gangs
	for _, name := range []string{"c", "b", "a"} {
		restarted.ledger.set(s.gang(name).DeepCopy())
	}
	for _, o := range s.ledger.seen {
		restarted.ledger.set(o)
	}
	if writes := restarted.settle(); writes != 0 {
		t.Errorf("a restart wrote %d times", writes)
	}
	restarted.expect(want)

	known := again(t, s.ledger.known(noon).taken())
	d := Decide(known)
	for name := range want {
		if diff := cmp.Diff(s.gang(name).Status, answerTo(t, d, name).Status); diff != "" {
			t.Errorf("%s, decided again: %s", name, diff)
		}
	}
	use := d.NodeUse("n1")
	gpu := use.Taken["gpu.deviceclass.resource.k8s.io/devices"]
	if n := use.Devices["gpu.deviceclass.resource.k8s.io/devices"]; n.Value() != 2 || gpu.Value() != 2 || len(use.Devices) != 2 {
		t.Errorf("n1 has %v and gave %v", use.Devices, use.Taken)
	}
}

// TestDevicesAreTold to those who run time forward over a snapshot, each once.
func TestDevicesAreTold(t *testing.T) {
	bound := claimant("a", 0, "n1")
	cluster := taken(newNode("n1", 8, 0), newDeviceClass("gpu", anyGPU), newSlice("n1", "h100", "h100", "h100"),
		claiming("a", 1, "gpu"), bound, newClaim("a-0", "a-0", "n1", "0"), newClaim("other", "", "n1", "1"))
	told := Tell(cluster)
	const class = "gpu.deviceclass.resource.k8s.io/devices"
	if n := told.Nodes[0].Allocatable[class]; n != 3 {
		t.Errorf("n1 has %d devices, want 3", n)
	}
	if n := told.Gangs[0].Sets[0].Shape.Requests[class]; n != 1 {
		t.Errorf("a asks for %d devices, want 1", n)
	}
	takes := map[string]int64{}
	for _, p := range told.Pods {
		takes[p.Key] = p.Requests[class]
	}
	if diff := cmp.Diff(map[string]int64{string(bound.UID): 1, "claim-other": 1}, takes); diff != "" {
		t.Error(diff)
	}
	if _, err := TellGang(claiming("new", 1, "gpu", onH100), cluster); err == nil || !strings.Contains(err.Error(), "selectors are those of no gang") {
		t.Errorf("a new gang with selectors of its own: %v", err)
	}
}

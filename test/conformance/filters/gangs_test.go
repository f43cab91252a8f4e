// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package filters

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/scheduler"
)

// TestGangs has ours place whole gangs and puts their pods there one after the other,
// each where Kubernetes' filters let it go.
func TestGangs(t *testing.T) {
	count := tally{}
	for seed := range *clusters {
		place(t, thrown(uint64(seed)+1<<32, 900), count)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Log(count)
	if count["placed"] < *clusters/10 || count["tied"] < *clusters/50 {
		t.Errorf("%d gangs of several pods were placed, %d of them tied to other pods", count["placed"], count["tied"])
	}
}

// FuzzGangs is the same on clusters made from bytes.
func FuzzGangs(f *testing.F) {
	for seed := range uint64(16) {
		f.Add(thrown(seed+1<<32, 900).data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { place(t, &dice{data}, tally{}) })
}

// simple templates ask for little but to be near to, apart from, and evenly divided
// among other pods.
func (d *dice) simple() corev1.PodTemplateSpec {
	t := corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "c0", Image: "none", Ports: list(d, d.n(2), d.port)}},
	}}
	if d.oneIn(2) {
		t.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	}
	t.Labels = d.labels()
	t.Spec.Affinity = d.peers(nil)
	if d.oneIn(2) {
		t.Spec.TopologySpreadConstraints = d.spreads()
	}
	return t
}

func place(t *testing.T, d *dice, count tally) {
	namespaces, nodes := d.namespaces(), d.nodes()
	for _, n := range nodes {
		n.Labels["zone"] = one(d, "a", "b")
	}
	var pods []*corev1.Pod
	for i := range d.n(4) {
		if p, valid := stored(t, d.bound(i)); valid {
			pods = append(pods, p)
		}
	}
	template, size := d.simple(), int32(1+d.n(4))
	ours := scheduler.NewRehearsal()
	tell(ours, namespaces)
	tell(ours, nodes)
	tell(ours, pods)
	gang := &slipwayv1.Gang{}
	gang.Name, gang.Namespace, gang.UID, gang.Generation, gang.ResourceVersion = "new", namespace, "uid-gang", 1, "1"
	gang.Spec.PodSets = []slipwayv1.PodSet{podset.Of(set, size, &template, nil)}
	ours.Set(gang)
	ours.Decide(noon.Time)
	status, _ := ours.Status(client.ObjectKeyFromObject(gang), noon.Time)
	if status == nil || len(status.Placement) == 0 {
		count["waits"]++
		if c := (cluster{namespaces, nodes, pods}); c.hold(t, template, size) {
			t.Errorf("waits, though Kubernetes places its %d pods: %s", size, plain(t, c.namespaces, nodes, c.pods, template, status))
		}
		return
	}
	for rank := range size {
		pod := podOf(template)
		pod.Name, pod.UID = fmt.Sprint("new-", rank), types.UID(fmt.Sprint("uid-new-", rank))
		pod, valid := stored(t, pod)
		if !valid {
			count["invalid"]++
			return
		}
		node, _ := status.Placement[0].NodeOf(rank)
		if why := newUpstream(t, namespaces, nodes, pods).refusals(pod)[node]; why != "" {
			t.Errorf("rank %d goes to %s; Kubernetes: %q\n%s", rank, node, why, plain(t, namespaces, nodes, pods, pod, status))
			return
		}
		pod.Spec.NodeName = node
		pods = append(pods, pod)
	}
	if size > 1 {
		count["placed"]++
		a := template.Spec.Affinity
		if len(a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution)+len(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution)+
			len(template.Spec.TopologySpreadConstraints) > 0 {
			count["tied"]++
		}
	}
}

func tell[T client.Object](ours *scheduler.Rehearsal, objects []T) {
	for _, o := range objects {
		ours.Set(o)
	}
}

// cluster as Kubernetes' scheduler sees it.
type cluster struct {
	namespaces []*corev1.Namespace
	nodes      []*corev1.Node
	pods       []*corev1.Pod
}

// hold so many more pods of a template, one after the other in some way.
func (c *cluster) hold(t *testing.T, template corev1.PodTemplateSpec, count int32) bool {
	if count == 0 {
		return true
	}
	pod := podOf(template)
	pod.Name, pod.UID = fmt.Sprint("new-", count), types.UID(fmt.Sprint("uid-new-", count))
	pod, valid := stored(t, pod)
	if !valid {
		return false
	}
	refused := newUpstream(t, c.namespaces, c.nodes, c.pods).refusals(pod)
	for _, n := range c.nodes {
		if refused[n.Name] != "" {
			continue
		}
		there := pod.DeepCopy()
		there.Spec.NodeName = n.Name
		more := cluster{c.namespaces, c.nodes, append(slices.Clip(c.pods), there)}
		if more.hold(t, template, count-1) {
			return true
		}
	}
	return false
}

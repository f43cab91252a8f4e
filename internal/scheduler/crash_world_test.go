// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// world is an API server in memory for the scheduler's own requests, with those who make the pods of
// gangs and run them. The scheduler there dies when it has written so often, and another one starts.
// Every pod of it asks for one GPU, and every Gang has one pod set. What it answers is in
// crash_server_test.go, who plays in crash_play_test.go, and who dies in crash_process_test.go.
type world struct {
	client.Client // of which the scheduler needs no more than what is here
	t             *testing.T
	rng           *rand.Rand
	objects       map[string]client.Object
	version       int
	began         time.Time
	// left are the writes until the scheduler dies, which it does when it asks for one more;
	// negative for never.
	left int
	// idle are those who make pods and run them.
	idle bool
	// wrote is what schedulers wrote, in words.
	wrote []string
	// gaveWay are the gangs and pods that gave way to somebody.
	gaveWay []string
}

func kindAndName(o client.Object) string {
	return reflect.TypeOf(o).Elem().Name() + "/" + client.ObjectKeyFromObject(o).String()
}

// put an object that somebody else than the scheduler made or changed.
func (w *world) put(objects ...client.Object) {
	for _, o := range objects {
		if o.GetCreationTimestamp().Time.IsZero() || w.objects[kindAndName(o)] == nil {
			o.SetCreationTimestamp(metav1.NewTime(time.Now()))
		}
		w.store(o)
	}
}

func (w *world) store(o client.Object) {
	w.version++
	o.SetResourceVersion(strconv.Itoa(w.version))
	w.objects[kindAndName(o)] = o
}

func (w *world) drop(o client.Object) { delete(w.objects, kindAndName(o)) }

func (w *world) keys() []string { return slices.Sorted(maps.Keys(w.objects)) }

func all[T client.Object](w *world) (objects []T) {
	for _, key := range w.keys() {
		if o, is := w.objects[key].(T); is {
			objects = append(objects, o)
		}
	}
	return objects
}

// check what may never be, be it for a moment: a node that has less than what is placed there, and a
// gang that is placed in part.
func (w *world) check(after string) {
	taken := map[string]int64{}
	type site struct{ gang, node string }
	ofGang := map[site]int64{}
	for _, p := range all[*corev1.Pod](w) {
		if p.Spec.NodeName != "" && p.Labels[slipwayv1.LabelGang] != "" {
			ofGang[site{p.Labels[slipwayv1.LabelGang], p.Spec.NodeName}] += gpusOf(p)
		} else if p.Spec.NodeName != "" {
			taken[p.Spec.NodeName] += gpusOf(p)
		}
	}
	for _, g := range all[*slipwayv1.Gang](w) {
		n, ofNode := int32(0), map[string]int64{}
		for _, slot := range slotsOf(g) {
			if slot.Node != "" { // or else ranks that it runs without
				n += slot.Count
				ofNode[slot.Node] += int64(slot.Count)
			}
		}
		for node, count := range ofNode {
			taken[node] += max(count, ofGang[site{g.Name, node}])
			delete(ofGang, site{g.Name, node})
		}
		set := &g.Spec.PodSets[0]
		if least := ptr.Deref(set.MinCount, set.Count); g.Status.IsPlaced() && g.Status.ObservedGeneration == g.Generation && (n < least || n > set.Count) {
			w.t.Errorf("after %s gang %s has %d of %d places, and takes %d", after, g.Name, n, set.Count, least)
		}
	}
	for at, gpus := range ofGang {
		taken[at.node] += gpus
	}
	for _, n := range all[*corev1.Node](w) {
		room := n.Status.Allocatable["nvidia.com/gpu"]
		if taken[n.Name] > room.Value() {
			w.t.Errorf("after %s %d of %d GPUs of %s are taken; writes so far: %v", after, taken[n.Name], room.Value(), n.Name, w.wrote)
		}
	}
}

func gpusOf(p *corev1.Pod) int64 {
	q := p.Spec.Containers[0].Resources.Requests["nvidia.com/gpu"]
	return q.Value()
}

func slotsOf(g *slipwayv1.Gang) []slipwayv1.Slot {
	if len(g.Status.Placement) == 0 {
		return nil
	}
	return g.Status.Placement[0].Slots
}

// tells what has become of everybody.
func (w *world) tells() map[string]string {
	out := map[string]string{}
	for _, g := range all[*slipwayv1.Gang](w) {
		s := &g.Status
		n := int32(0)
		for _, slot := range slotsOf(g) {
			if slot.Node != "" {
				n += slot.Count
			}
		}
		text := fmt.Sprintf("(%s) %d places", placedReason(s), n)
		if len(s.LentBy) > 0 { // To whom it gave way is of no more use, now that all pods have ended that do.
			text += fmt.Sprintf(" lent by %v", s.LentBy)
		}
		if s.Promise != nil {
			text += fmt.Sprintf(" promised in %s", s.Promise.Time.Sub(w.began).Round(10*time.Minute))
		}
		out["gang "+g.Name] = text
	}
	for _, p := range all[*corev1.Pod](w) {
		if p.Labels[slipwayv1.LabelGang] == "" {
			out["pod "+p.Name] = fmt.Sprint("bound: ", p.Spec.NodeName != "")
		}
	}
	for _, p := range all[*slipwayv1.Project](w) {
		out["project "+p.Name] = fmt.Sprintf("placed %d, waiting %d, %+v", p.Status.Placed, p.Status.Waiting, usedOf(p))
	}
	for _, g := range all[*schedulingv1beta1.PodGroup](w) {
		out["group "+g.Name] = fmt.Sprint(len(g.Status.Conditions) > 0 && g.Status.Conditions[0].Status == metav1.ConditionTrue)
	}
	return out
}

func usedOf(p *slipwayv1.Project) []string {
	var used []string
	for _, u := range p.Status.Usage {
		used = append(used, fmt.Sprint(u.Resource, "=", u.Used.String()))
	}
	return used
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestEmptied: when all that a ledger was told of is gone, it remembers as much after a
// hundred rounds of it, with other names each, as after the first.
func TestEmptied(t *testing.T) {
	c := newCluster(t)
	weights := []map[string]int{}
	for i := range 100 {
		c.round(i)
		if i%33 == 0 {
			weights = append(weights, weigh(c.ledger))
		}
	}
	first, last := weights[1], weights[len(weights)-1]
	for _, path := range slices.Sorted(maps.Keys(last)) {
		if last[path] > first[path] && !bounded(path) {
			t.Errorf("%s grew from %d to %d", path, first[path], last[path])
		}
	}
}

// bounded memories are allowed to grow: their bounds are tested elsewhere.
func bounded(path string) bool {
	return slices.ContainsFunc([]string{
		".picture.past", ".picture.root.users", ".picture.classes", ".picture.unused", ".picture.fitting", ".picture.levels", ".picture.empty.classes", ".picture.empty.unused",
		".picture.names", ".picture.empty.names", ".picture.history", ".picture.empty.history",
	}, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// round of everything that can come, and go.
func (c *cluster) round(i int) {
	c.now = c.now.Add(time.Hour)
	name := func(of string) string { return fmt.Sprintf("%s-%d", of, i) }
	var objects []client.Object
	add := func(o ...client.Object) {
		for _, o := range o {
			o.SetUID(types.UID(fmt.Sprintf("%T/%s", o, o.GetName())))
			objects = append(objects, o)
			if p, is := o.(*corev1.Pod); is {
				c.add(p)
			} else {
				c.set(o)
			}
		}
	}
	add(newNode(name("n"), 16, 16))
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name("ns"), Labels: map[string]string{slipwayv1.LabelProject: name("p")}}}
	add(namespace, &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: name("p"), Generation: 1}, Spec: slipwayv1.ProjectSpec{
		Parent: name("above"), Quota: []slipwayv1.Quota{{Resource: "nvidia.com/gpu", Limit: ptr.To(resource.MustParse("9"))}}}},
		&slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: name("above"), Generation: 1}})
	gang := newGang(name("g"), 2, 1)
	gang.Spec.User, gang.Spec.Project = name("u"), name("p")
	free := newGang(name("free"), 1, 1)
	free.Spec.User = name("u")
	lost := newGang(name("lost"), 1, 1)
	lost.Spec.Project = name("nobody")
	add(gang, free, lost, newGang(name("never"), 99, 1))
	pod := ourPod(name("job"), labelled(slipwayv1.LabelGang, name("g")), labelled(slipwayv1.LabelPodSet, "worker"))
	group := &schedulingv1beta1.PodGroup{ObjectMeta: metav1.ObjectMeta{Name: name("pg"), Namespace: "ns"}}
	group.Spec.SchedulingPolicy.Gang = &schedulingv1beta1.GangSchedulingPolicy{MinCount: 1}
	add(pod, group, ourPod(name("alone")), ourPod(name("one"), ofGroup(name("gr"), 2)), ourPod(name("two"), ofGroup(name("gr"), 2)),
		ourPod(name("pgp"), func(p *corev1.Pod) {
			p.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: ptr.To(name("pg"))}
		}))
	c.rest()
	c.ledger.plan()
	// One has ended well, and its labels are changed by somebody.
	for _, pod := range []string{name("one"), name("two")} {
		if p := c.pods[pod]; p != nil {
			p = p.DeepCopy()
			p.Status.Phase = corev1.PodSucceeded
			c.add(p)
			p = p.DeepCopy()
			p.Labels[labelGroup] = name("other")
			c.add(p)
		}
	}
	c.rest()
	c.now = c.now.Add(time.Hour)
	add(ourPod(name("high"), ranked(9), func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests = quantities(14, 14) }))
	c.rest()
	c.ledger.plan()
	c.rest()
	for _, o := range objects {
		if p, is := o.(*corev1.Pod); is {
			if c.pods[p.Name] != nil {
				c.end(p.Name)
			}
			continue
		}
		c.ledger.remove(o)
	}
	c.gangs = map[types.NamespacedName]*slipwayv1.Gang{}
	c.rest()
	c.ledger.plan()
	c.rest()
}

// weigh is how many elements each map and slice has that can be reached, those of like
// places together.
func weigh(l *ledger) map[string]int {
	out, seen := map[string]int{}, map[uintptr]bool{}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() && !seen[v.Pointer()] {
				seen[v.Pointer()] = true
				walk(path, v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Map:
			out[path] += v.Len()
			for _, key := range v.MapKeys() {
				walk(path+"[]", v.MapIndex(key))
			}
		case reflect.Slice:
			out[path] += v.Len()
			for i := range v.Len() {
				walk(path+"[]", v.Index(i))
			}
		case reflect.Interface:
			walk(path, v.Elem())
		}
	}
	walk("", reflect.ValueOf(l))
	return out
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// act is what people do between two rests of the scheduler.
type act func(*world)

func makes(objects ...client.Object) act {
	return func(w *world) {
		for _, o := range objects {
			w.put(o.DeepCopyObject().(client.Object))
		}
	}
}

func deletes(name string) act {
	return func(w *world) { w.drop(&slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}) }
}

// endsGang at once, with its pods.
func endsGang(name string) act {
	return func(w *world) {
		deletes(name)(w)
		for _, p := range all[*corev1.Pod](w) {
			if p.Labels[slipwayv1.LabelGang] == name {
				w.drop(p)
			}
		}
	}
}

func passes(d time.Duration) act { return func(*world) { <-time.After(d) } }

// edits the gang.
func edits(name string, change func(*slipwayv1.GangSpec)) act {
	return func(w *world) {
		g := w.objects[kindAndName(newGang(name, 1, 1))].DeepCopyObject().(*slipwayv1.Gang)
		g.Generation++
		change(&g.Spec)
		w.store(g)
	}
}

func prior(g *slipwayv1.Gang, priority int32) *slipwayv1.Gang {
	g.Spec.Priority = priority
	return g
}

func elastic(g *slipwayv1.Gang, least int32) *slipwayv1.Gang {
	g.Spec.PodSets[0].MinCount = &least
	return g
}

func inProject(g *slipwayv1.Gang, project string) *slipwayv1.Gang {
	g.Spec.Project = project
	return g
}

func guaranteed(name string, gpus int64) *slipwayv1.Project {
	p := limited(name, 0)
	p.Spec.Quota[0].Guaranteed, p.Spec.Quota[0].Limit = quantities(gpus, 0)[corev1.ResourceCPU], nil
	return p
}

func saved(g *slipwayv1.Gang) *slipwayv1.Gang {
	g.Spec.LastCheckpoint = &metav1.Time{Time: time.Now().Add(-time.Hour)}
	return g
}

func ofPodGroup(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: ptr.To(name)} }
}

// nobodyRuns pods, or makes them.
func nobodyRuns(w *world) { w.idle = true }

// pods of one GPU that are alike.
func pods(n int, change ...func(*corev1.Pod)) act {
	return func(w *world) {
		for i := range n {
			w.put(ourPod(fmt.Sprint("p-", i), change...))
		}
	}
}

// heldPods that need no devices: Kubernetes' scheduler binds them as soon as they are held to their node.
func heldPods(p *corev1.Pod) {
	p.Labels[slipwayv1.LabelHeld], p.Spec.SchedulerName = "true", corev1.DefaultSchedulerName
	p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: slipwayv1.GateHeld}}
}

func losesNode(name string) act {
	return func(w *world) {
		w.drop(newNode(name, 0, 0))
		for _, p := range all[*corev1.Pod](w) {
			if p.Spec.NodeName == name {
				w.drop(p)
			}
		}
	}
}

// scenario of what people do, each when the scheduler has come to rest.
type scenario struct {
	name string
	acts []act
}

// scenarios whose decisions take several writes.
func scenarios() []scenario {
	n1, n2 := newNode("n1", 64, 4), newNode("n2", 64, 4)
	podGroup := &schedulingv1beta1.PodGroup{ObjectMeta: metav1.ObjectMeta{Name: "g", Namespace: "ns", UID: "g"}}
	podGroup.Spec.SchedulingPolicy.Gang = &schedulingv1beta1.GangSchedulingPolicy{MinCount: 3}
	again := newGang("a", 4, 1)
	again.UID = "again"
	count := func(n int32) func(*slipwayv1.GangSpec) {
		return func(s *slipwayv1.GangSpec) { s.PodSets[0].Count = n }
	}
	four := func(project string) act {
		return func(w *world) {
			for i := range 4 {
				w.put(inProject(newGang(fmt.Sprint("l-", i), 2, 1), project))
			}
		}
	}
	return []scenario{
		{"gangs start and end", []act{makes(n1, n2, newGang("a", 6, 1), newGang("b", 2, 1), newGang("c", 4, 1)), endsGang("a")}},
		{"one gives way", []act{makes(n1, newGang("low", 4, 1)), makes(prior(newGang("high", 4, 1), 1))}},
		{"one without pods gives way", []act{nobodyRuns, makes(n1, newGang("low", 4, 1)), makes(prior(newGang("high", 4, 1), 1))}},
		{"one without pods gives way to a group", []act{nobodyRuns, makes(n1, newGang("low", 4, 1)), pods(3, ofGroup("g", 3), ranked(1))}},
		{"one of two heirs gives way itself", []act{makes(n1, newGang("low", 4, 1)), makes(prior(newGang("high", 2, 1), 1), prior(newGang("higher", 4, 1), 2))}},
		{"several give way", []act{makes(n1, n2), four(""), makes(prior(newGang("high", 4, 1), 1)), makes(prior(newGang("next", 2, 1), 1))}},
		{"a project takes back what it is guaranteed", []act{makes(n1, n2, guaranteed("owner", 6), guaranteed("lender", 0)), four("lender"),
			makes(inProject(newGang("o-1", 4, 1), "owner")), makes(inProject(newGang("o-2", 2, 1), "owner"))}},
		{"several give way to several", []act{makes(n1, n2, newNode("n3", 64, 2)), four(""), makes(newGang("l-4", 2, 1)),
			makes(prior(newGang("high", 4, 1), 1), prior(newGang("higher", 3, 1), 2))}},
		{"several give way beside free room", []act{makes(n1, newNode("n3", 64, 4), newGang("l-0", 2, 1), newGang("l-1", 2, 1), newGang("l-2", 3, 1)),
			makes(prior(newGang("high", 8, 1), 1), newGang("small", 1, 1))}},
		{"elastic ones give way", []act{makes(n1, n2, elastic(newGang("l-0", 4, 1), 1), elastic(newGang("l-1", 4, 1), 3)), makes(prior(newGang("high", 5, 1), 1))}},
		{"groups give way with gangs", []act{makes(n1, newGang("a", 2, 1)), pods(2, ofGroup("g", 2)), passes(time.Minute), makes(prior(newGang("high", 4, 1), 1))}},
		{"several without pods give way", []act{nobodyRuns, makes(n1, newGang("a", 2, 1), newGang("b", 2, 1)), makes(prior(newGang("high", 4, 1), 1))}},
		{"several give way to one that came before them", []act{makes(n1, n2, newGang("runs", 4, 1)), makes(newGang("large", 8, 1)), passes(time.Minute),
			four(""), passes(25 * time.Hour), endsGang("runs")}},
		{"several move", []act{makes(newNode("n3", 64, 2), newNode("n4", 64, 2), guaranteed("owner", 8), newGang("runs", 4, 1)), makes(n1, newGang("large", 2, 4)),
			passes(time.Minute), makes(inProject(newGang("l-0", 2, 1), "owner"), inProject(newGang("l-1", 2, 1), "owner")), passes(40 * time.Hour), makes(n2), endsGang("runs")}},
		{"several are called back", []act{makes(n1, atMost(newGang("runs", 2, 1), time.Hour)), makes(atMost(newGang("large", 4, 1), time.Hour)),
			func(w *world) {
				w.put(saved(atMost(newGang("small", 1, 1), 3*time.Hour)), saved(atMost(newGang("other", 1, 1), 3*time.Hour)))
			}, passes(20 * time.Minute), endsGang("runs"), passes(time.Minute), passes(time.Minute)}},
		{"a group starts", []act{makes(n1, newGang("a", 2, 1)), pods(3, ofGroup("g", 3)), endsGang("a")}},
		{"a PodGroup starts", []act{makes(n1, podGroup), pods(3, ofPodGroup("g")), makes(newGang("a", 2, 1))}},
		{"a group gives way", []act{makes(n1), pods(3, ofGroup("g", 3)), passes(time.Minute), makes(prior(newGang("high", 3, 1), 1))}},
		{"one gives way to a group", []act{makes(n1, newGang("a", 4, 1)), pods(3, ofGroup("g", 3), ranked(1))}},
		{"several give way to a group", []act{makes(n1, newGang("a", 2, 1), newGang("b", 2, 1)), pods(3, ofGroup("g", 3), ranked(1))}},
		{"held pods", []act{makes(n1, newGang("a", 3, 1)), pods(2, ofGroup("g", 2), ranked(1), heldPods), makes(prior(newGang("high", 4, 1), 2))}},
		{"places are lent and called back", []act{makes(n1, atMost(newGang("runs", 2, 1), time.Hour)), makes(atMost(newGang("large", 4, 1), time.Hour)),
			func(w *world) { w.put(saved(atMost(newGang("small", 2, 1), 3*time.Hour))) }, passes(20 * time.Minute), endsGang("runs")}},
		{"some are edited", []act{makes(n1, newGang("a", 2, 1), newGang("b", 2, 1)), edits("a", count(1)), edits("b", count(3)), makes(newGang("c", 1, 1))}},
		{"one is made again", []act{makes(n1, newGang("a", 4, 1)), makes(again, newGang("b", 4, 1))}},
		{"a node is lost", []act{makes(n1, n2, newGang("a", 6, 1), newGang("b", 2, 1)), losesNode("n2"), makes(newNode("n3", 64, 4))}},
	}
}

// plays a scenario to its end, with a scheduler that dies after so many writes.
func (s scenario) plays(t *testing.T, seed uint64, left int) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, seed)), objects: map[string]client.Object{}, version: 100, began: time.Now(), left: left}
	p := w.process()
	for _, do := range s.acts {
		do(w)
		p = p.rest(t.Context())
	}
	w.check("everything")
	slices.Sort(w.gaveWay)
	return w
}

// TestDiesAfterEveryWrite of its decisions, which come in any order: whoever starts anew goes on from
// what the API server has, so that in the end everything is as if nobody had died, and nobody gave way
// in vain. At no moment is a node promised twice, or a gang placed in part
// (world.check).
func TestDiesAfterEveryWrite(t *testing.T) {
	const seeds = 5
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			for seed := range uint64(seeds) {
				synctest.Test(t, func(t *testing.T) { s.dies(t, seed) })
			}
		})
	}
}

// FuzzDiesAfterEveryWrite likewise, in more orders.
func FuzzDiesAfterEveryWrite(f *testing.F) {
	f.Add(uint8(0), uint64(99))
	f.Fuzz(func(t *testing.T, i uint8, seed uint64) {
		all := scenarios()
		synctest.Test(t, func(t *testing.T) { all[int(i)%len(all)].dies(t, seed) })
	})
}

func (s scenario) dies(t *testing.T, seed uint64) {
	whole := s.plays(t, seed, -1)
	for k := range whole.wrote {
		died := s.plays(t, seed, k)
		if diff := cmp.Diff(whole.tells(), died.tells()) + cmp.Diff(whole.gaveWay, died.gaveWay); diff != "" || t.Failed() {
			t.Fatalf("seed %d, dies after %d writes\nwhole: %v\ndied: %v\n(-whole +died):\n%s", seed, k, whole.wrote, died.wrote, diff)
		}
	}
}

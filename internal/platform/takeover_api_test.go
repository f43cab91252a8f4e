// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// gangOf workers with so many GPUs each, which run for at most an hour.
func (f *fleet) gangOf(name string, workers int32, gpus int64, priority int32) {
	f.Helper()
	g := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.ns}, Spec: slipwayv1.GangSpec{
		MaxRunTime: &metav1.Duration{Duration: time.Hour}, Priority: priority,
		PodSets: []slipwayv1.PodSet{{Name: "worker", Count: workers, Requests: gpuList(gpus)}},
	}}
	f.must(f.client.Create(f.Context(), g))
}

func gpuList(n int64) corev1.ResourceList {
	return corev1.ResourceList{"nvidia.com/gpu": *resource.NewQuantity(n, resource.DecimalSI)}
}

func (f *fleet) awaitGang(name, what string, ok func(*slipwayv1.Gang) bool) *slipwayv1.Gang {
	f.Helper()
	return kubetest.Await(f, f.client, &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Namespace: f.ns, Name: name}}, name+" "+what, ok)
}

// runs the pods of a gang that is placed, as its controller and kubelets would.
func (f *fleet) runs(g *slipwayv1.Gang) {
	f.Helper()
	gpus := g.Spec.PodSets[0].Requests["nvidia.com/gpu"]
	rank := 0
	for _, slot := range g.Status.Placement[0].Slots {
		for range slot.Count {
			f.must(f.client.Create(f.Context(), &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: f.ns, Name: fmt.Sprintf("%s-%d", g.Name, rank),
					Labels: map[string]string{slipwayv1.LabelGang: g.Name, slipwayv1.LabelPodSet: "worker", slipwayv1.LabelRank: fmt.Sprint(rank)}},
				Spec: corev1.PodSpec{NodeName: slot.Node, SchedulerName: slipwayv1.SchedulerName, Containers: []corev1.Container{{
					Name: "main", Image: "none", Resources: corev1.ResourceRequirements{Requests: gpuList(gpus.Value()), Limits: gpuList(gpus.Value())}}}},
			}))
			rank++
		}
	}
}

// ends the pods of a gang, as a kubelet does.
func (f *fleet) ends(name string, pods int) {
	f.Helper()
	for rank := range pods {
		f.must(f.client.Delete(f.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: f.ns, Name: fmt.Sprintf("%s-%d", name, rank)}},
			client.GracePeriodSeconds(0)))
	}
}

// auditor looks at each change of the gangs: no node may be promised to more than it holds, and no gang
// be placed in part.
type auditor struct {
	// room is how many GPUs each node has.
	room   int64
	mu     sync.Mutex
	gangs  map[string]*slipwayv1.Gang
	faults []string
	// moves are how often a gang got other places, or none.
	moves int
}

// audit nodes with so much room each until the test ends.
func (f *fleet) audit(room int64) *auditor {
	f.Helper()
	a := &auditor{gangs: map[string]*slipwayv1.Gang{}, room: room}
	ctx, cancel := context.WithCancel(f.Context())
	w, err := f.client.Watch(ctx, &slipwayv1.GangList{}, client.InNamespace(f.ns))
	f.must(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range w.ResultChan() {
			if g, is := e.Object.(*slipwayv1.Gang); is {
				a.sees(g, e.Type == watch.Deleted)
			}
		}
		if ctx.Err() == nil {
			a.fails("the watch ended before the test")
		}
	}()
	f.Cleanup(func() { cancel(); w.Stop(); <-done })
	return a
}

func (a *auditor) sees(g *slipwayv1.Gang, gone bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if was := a.gangs[g.Name]; was != nil && !gone && !cmp.Equal(was.Status.Placement, g.Status.Placement) {
		a.moves++
	}
	if a.gangs[g.Name] = g; gone {
		delete(a.gangs, g.Name)
	}
	taken := map[string]int64{}
	for _, g := range a.gangs {
		gpus, n := g.Spec.PodSets[0].Requests["nvidia.com/gpu"], int32(0)
		for _, set := range g.Status.Placement {
			for _, slot := range set.Slots {
				n += slot.Count
				taken[slot.Node] += int64(slot.Count) * gpus.Value()
			}
		}
		if g.Status.IsPlaced() && n != g.Spec.PodSets[0].Count {
			a.faults = append(a.faults, fmt.Sprintf("%s has %d of %d places", g.Name, n, g.Spec.PodSets[0].Count))
		}
	}
	for node, n := range taken {
		if n > a.room {
			a.faults = append(a.faults, fmt.Sprintf("%d of %d GPUs of %s are promised", n, a.room, node))
		}
	}
}

func (a *auditor) fails(fault string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, fault)
}

func (a *auditor) found() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.faults)
}

func (f *fleet) gangs() []slipwayv1.Gang {
	f.Helper()
	all := &slipwayv1.GangList{}
	f.must(f.client.List(f.Context(), all, client.InNamespace(f.ns)))
	return all.Items
}

// victims that lost their places to an heir, once they are so many.
func (f *fleet) victims(heir string, many int) (names []string) {
	f.Helper()
	kubetest.AwaitList(f, f.client, f.ns, "some to give way to "+heir, &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool {
		names = nil
		for _, g := range l.Items {
			if strings.HasPrefix(g.Name, "low-") && !g.Status.IsPlaced() {
				names = append(names, g.Name)
			}
		}
		return len(names) == many
	})
	return names
}

// TestAPITakesOver: the leader is killed while gangs give way to another one, and one is promised a start; others
// come that nobody has seen. Who follows goes on from the API alone. Then it is killed in the middle of
// placing gangs. TestAPIWakesUp is about one that is stopped.
func TestAPITakesOver(t *testing.T) {
	f := newFleet(t)
	audit := f.audit(8)
	f.node("takes-n1", 8)
	f.node("takes-n2", 8)
	leader := f.start("a")
	for i := range 4 {
		name := fmt.Sprint("low-", i)
		f.gangOf(name, 2, 2, 0)
		f.runs(f.awaitGang(name, "to be placed", func(g *slipwayv1.Gang) bool { return g.Status.IsPlaced() }))
	}
	f.gangOf("heir", 4, 2, 5)
	victims := f.victims("heir", 2)
	f.gangOf("patient", 4, 4, 0)
	told := f.awaitGang("patient", "to be promised a start", func(g *slipwayv1.Gang) bool { return g.Status.Promise != nil }).Status.Promise
	leader.kill()
	f.gangOf("unseen", 2, 4, 0)
	leader = f.start("a")
	f.awaitGang("unseen", "to be answered", func(g *slipwayv1.Gang) bool { return g.Status.Placed() != nil })
	for _, name := range victims {
		f.ends(name, 2)
	}
	f.awaitGang("heir", "to be placed", func(g *slipwayv1.Gang) bool { return g.Status.IsPlaced() })
	if again := f.victims("heir", 2); !slices.Equal(again, victims) {
		t.Errorf("%v gave way, and after the leader was killed %v", victims, again)
	}
	if now := f.awaitGang("patient", "to be there", func(*slipwayv1.Gang) bool { return true }).Status.Promise; !cmp.Equal(told, now) {
		t.Errorf("patient was promised %+v, and after the leader was killed %+v", told, now)
	}

	for _, g := range f.gangs() {
		f.must(f.client.Delete(t.Context(), &g))
	}
	f.must(f.client.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(f.ns), client.GracePeriodSeconds(0)))
	const many = 16
	for i := range many {
		f.gangOf(fmt.Sprint("many-", i), 1, 1, 0)
		if i == many/2 {
			leader.kill()
		}
	}
	f.start("a")
	for i := range many {
		f.awaitGang(fmt.Sprint("many-", i), "to be placed", func(g *slipwayv1.Gang) bool { return g.Status.IsPlaced() })
	}
	if faults := audit.found(); len(faults) > 0 {
		t.Errorf("at some moment %v", faults)
	}
}

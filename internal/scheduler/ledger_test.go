// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// server is an API server in memory, as far as gangs are concerned, and the ledger
// that hears of what happens there.
type server struct {
	t       *testing.T
	ledger  *ledger
	gangs   map[types.NamespacedName]*slipwayv1.Gang
	version int
	writes  int
	now     time.Time
}

func newServer(t *testing.T, objects ...client.Object) *server {
	s := &server{t: t, ledger: newLedger(), gangs: map[types.NamespacedName]*slipwayv1.Gang{}, version: 100, now: noon}
	for _, o := range objects {
		s.set(o)
	}
	return s
}

func (s *server) set(o client.Object) {
	if g, ok := o.(*slipwayv1.Gang); ok {
		s.version++
		g.ResourceVersion = strconv.Itoa(s.version)
		s.gangs[client.ObjectKeyFromObject(g)] = g.DeepCopy()
	}
	s.ledger.set(o)
}

// settle decides and writes until nothing is left to do, hearing its own echo, and
// returns the number of writes.
func (s *server) settle() int {
	s.t.Helper()
	before := s.writes
	for range 10 {
		names := s.ledger.decide(s.now)
		reworded, _ := s.ledger.reword(100)
		if names = append(names, reworded...); len(names) == 0 {
			return s.writes - before
		}
		for _, name := range names {
			s.write(name)
		}
	}
	s.t.Fatal("the scheduler does not come to rest")
	return 0
}

func (s *server) write(name types.NamespacedName) {
	d, changed := s.ledger.draft(name, noon)
	if !changed {
		return
	}
	g := s.gangs[name]
	if g.ResourceVersion != d.version {
		s.t.Errorf("%s is written against version %s; it is %s", name, d.version, g.ResourceVersion)
	}
	s.writes++
	s.version++
	g.Status, g.ResourceVersion = *d.new.DeepCopy(), strconv.Itoa(s.version)
	s.ledger.written(d, g.ResourceVersion)
	s.ledger.set(g.DeepCopy())
}

// gang as the server has it.
func (s *server) gang(name string) *slipwayv1.Gang {
	return s.gangs[types.NamespacedName{Namespace: "ns", Name: name}]
}

// tells the conditions that are true, the reason, and the places.
func (s *server) tells(name string) string {
	g := s.gang(name)
	var is []string
	for _, c := range g.Status.Conditions {
		if c.Status == metav1.ConditionTrue {
			is = append(is, c.Type)
		}
		if c.ObservedGeneration != g.Generation {
			s.t.Errorf("condition %s of %s is of generation %d; the gang is of %d", c.Type, name, c.ObservedGeneration, g.Generation)
		}
	}
	if g.Status.ObservedGeneration != g.Generation {
		s.t.Errorf("%s observed generation %d of %d", name, g.Status.ObservedGeneration, g.Generation)
	}
	return strings.TrimSpace(fmt.Sprintf("%s (%s) %s", strings.Join(is, " "), placedReason(&g.Status), places(&g.Status)))
}

func (s *server) expect(want map[string]string) {
	s.t.Helper()
	got := map[string]string{}
	for name := range want {
		got[name] = s.tells(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlacesOrSaysWhy(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newNode("n2", 8, 4))
	s.set(newGang("fits", 6, 1))
	s.set(newGang("waits", 4, 1))
	s.set(newGang("never", 9, 1))
	if writes := s.settle(); writes != 3 {
		t.Errorf("wrote %d times; one for each gang is enough", writes)
	}
	s.expect(map[string]string{
		"fits":  "Placed Ready (Placed) worker n1*4 n2*2",
		"waits": "Reconciling (InsufficientResources)",
		"never": "Stalled (NeverFits)",
	})
	message := s.gang("waits").Status.Placed().Message
	want := "needs 4 pods of 1 cpu and 1 nvidia.com/gpu each at once; 2 fit now: 1 node has too little nvidia.com/gpu (0 free of 4)"
	if message != want {
		t.Errorf("says %q; want %q", message, want)
	}
}

func TestQuietWhileNothingChanges(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newGang("a", 4, 1), newGang("b", 4, 1), newGang("c", 9, 1))
	s.settle()
	for _, o := range []client.Object{newNode("n1", 8, 4), s.gang("a"), s.gang("b"), s.gang("c")} {
		if s.ledger.set(o) {
			t.Errorf("%T %s is told again, and taken for news", o, o.GetName())
		}
	}
	pod := newPod("p", "n1", quantities(1, 1))
	pod.Labels = map[string]string{slipwayv1.LabelGang: "a"}
	s.set(pod)
	if writes := s.settle(); writes != 0 {
		t.Errorf("%d writes for a pod that takes its gang's place", writes)
	}
}

func TestReservationAndPodsCountOnce(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newGang("a", 2, 1))
	s.settle()
	for i := range 2 {
		pod := newPod(fmt.Sprint("a-", i), "n1", quantities(1, 1))
		pod.Labels = map[string]string{slipwayv1.LabelGang: "a", slipwayv1.LabelPodSet: "worker"}
		s.set(pod)
	}
	s.set(newGang("b", 2, 1))
	s.settle()
	s.expect(map[string]string{"b": "Placed Ready (Placed) worker n1*2"})
}

func TestOthersPodsCount(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4))
	pending := newPod("pending", "", quantities(1, 4))
	ended := newPod("ended", "n1", quantities(1, 4))
	ended.Status.Phase = corev1.PodSucceeded
	s.set(pending)
	s.set(ended)
	foreign := newPod("foreign", "n1", quantities(1, 3))
	s.set(foreign)
	s.set(newGang("a", 2, 1))
	s.settle()
	s.expect(map[string]string{"a": "Reconciling (InsufficientResources)"})

	foreign = foreign.DeepCopy()
	foreign.Status.Phase = corev1.PodFailed
	s.set(foreign)
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*2"})
}

// TestRefusedByTheKubelet: the default scheduler, blind to reservations, was
// faster, and the kubelet refuses the last pod. It gets another node.
func TestRefusedByTheKubelet(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newNode("n2", 8, 4), newGang("a", 4, 1))
	s.settle()
	var last *corev1.Pod
	for i := range 4 {
		last = newPod(fmt.Sprint("a-", i), "n1", quantities(1, 1))
		last.Labels = map[string]string{
			slipwayv1.LabelGang: "a", slipwayv1.LabelPodSet: "worker", slipwayv1.LabelRank: strconv.Itoa(i)}
		s.set(last)
	}
	s.set(newPod("foreign", "n1", quantities(1, 1)))
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*4"})

	refused := last.DeepCopy()
	refused.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfnvidia.com/gpu"}
	s.set(refused)
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*3 n2*1"})
}

func TestDeletedGangFreesAtOnce(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newGang("a", 4, 1), newGang("b", 4, 1))
	s.settle()
	leaving := s.gang("a").DeepCopy()
	leaving.DeletionTimestamp = &metav1.Time{Time: noon}
	s.set(leaving)
	s.settle()
	s.expect(map[string]string{"b": "Placed Ready (Placed) worker n1*4"})
}

func TestNameUsedAgain(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newGang("a", 4, 1))
	s.settle()
	again := newGang("a", 2, 1)
	again.UID = "another"
	s.set(again)
	s.ledger.remove(newGang("a", 4, 1))
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*2"})
}

func TestLostNode(t *testing.T) {
	for name, lose := range map[string]func(*server){
		"deleted": func(s *server) { s.ledger.remove(newNode("n2", 8, 4)) },
		"not ready": func(s *server) {
			n := newNode("n2", 8, 4)
			n.Status.Conditions[0].Status = corev1.ConditionUnknown
			s.set(n)
		},
		"unreachable": func(s *server) {
			n := newNode("n2", 8, 4)
			n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute}}
			s.set(n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, newNode("n1", 8, 4), newNode("n2", 8, 4), newGang("a", 8, 1))
			s.settle()
			lose(s)
			s.settle()
			s.expect(map[string]string{"a": "Reconciling (NodeLost) worker n1*4 n2*4"})
			s.set(newNode("n3", 8, 4))
			s.settle()
			s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*4 n3*4"})
		})
	}
}

// TestGrace: what is tolerated for an hour is not lost before the hour is over.
func TestGrace(t *testing.T) {
	since := metav1.NewTime(noon)
	unreachable := newNode("n1", 8, 4)
	unreachable.Status.Conditions[0].Status = corev1.ConditionUnknown
	unreachable.Status.Conditions[0].LastTransitionTime = since
	notReady := newNode("n1", 8, 4)
	notReady.Status.Conditions[0].Status = corev1.ConditionFalse
	notReady.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoExecute, TimeAdded: &since}}
	for name, node := range map[string]*corev1.Node{"unreachable": unreachable, "not ready": notReady} {
		t.Run(name, func(t *testing.T) {
			patient := newGang("patient", 1, 1)
			for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
				patient.Spec.PodSets[0].Tolerations = append(patient.Spec.PodSets[0].Tolerations, corev1.Toleration{
					Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](3600)})
			}
			s := newServer(t, newNode("n1", 8, 4), patient, newGang("hasty", 1, 1))
			s.settle()
			s.set(node)
			s.settle()
			s.expect(map[string]string{"patient": "Placed Ready (Placed) worker n1*1", "hasty": "Reconciling (NodeLost) worker n1*1"})
			end := noon.Add(time.Hour)
			if got := momentOf(s.ledger.picture.NextLoss()); !got.Equal(end) {
				t.Errorf("decides again at %v, want %v", got, end)
			}
			s.now = end
			s.settle()
			s.expect(map[string]string{"patient": "Reconciling (NodeLost) worker n1*1"})
			if got := momentOf(s.ledger.picture.NextLoss()); !got.IsZero() {
				t.Errorf("decides again at %v", got)
			}
		})
	}
}

// TestKubeletStartsAnew: for the moment in which it is not ready, a node gets
// nothing and loses nothing.
func TestKubeletStartsAnew(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newGang("a", 1, 1))
	s.settle()
	n := newNode("n1", 8, 4)
	n.Status.Conditions[0].Status = corev1.ConditionFalse
	s.set(n)
	s.set(newGang("b", 1, 1))
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*1", "b": "Reconciling (NodesUnavailable)"})
}

func TestGrowsAndShrinks(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newGang("a", 3, 1))
	s.settle()
	resize := func(generation int64, workers int32) {
		g := s.gang("a").DeepCopy()
		g.Generation, g.Spec.PodSets[0].Count = generation, workers
		s.set(g)
		s.settle()
	}
	resize(2, 6)
	s.expect(map[string]string{"a": "Placed Reconciling (InsufficientResources) worker n1*3"})
	resize(3, 2)
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*2"})
}

// TestSaysThatItGaveWay although what it waits for is worded before that is written.
func TestSaysThatItGaveWay(t *testing.T) {
	low, high := newGang("low", 1, 8), newGang("high", 1, 8)
	high.Spec.Priority = 1
	s := newServer(t, newNode("n1", 8, 8), low)
	s.settle()
	s.set(high)
	s.settle()
	names := s.ledger.plan()
	s.ledger.picture.SetNode(nodeOf(newNode("n2", 8, 1))) // so that there is something to word
	s.ledger.reword(100)
	for _, name := range names {
		s.write(name)
	}
	if got := placedReason(&s.gangs[client.ObjectKeyFromObject(low)].Status); got != "Evicted" {
		t.Errorf("the gang that gave way says %s", got)
	}
}

// TestMoved: what is written before the reasons of those that wait.
func TestMoved(t *testing.T) {
	low, waits, high := newGang("low", 1, 8), newGang("waits", 1, 8), newGang("high", 1, 8)
	high.Spec.Priority = 1
	s := newServer(t, newNode("n1", 8, 8), low, waits)
	moved := func(want ...string) {
		t.Helper()
		var got []string
		for _, g := range []*slipwayv1.Gang{low, waits, high} {
			if s.ledger.moved(client.ObjectKeyFromObject(g)) {
				got = append(got, g.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("gangs to be written first (-want +got):\n%s", diff)
		}
	}
	write := func(names []types.NamespacedName) {
		for _, name := range names {
			s.write(name)
		}
	}
	moved() // Nothing is decided.
	names := s.ledger.decide(s.now)
	moved("low")
	write(names)
	moved()
	s.set(high)
	s.settle()
	names = s.ledger.plan()
	moved("low", "high") // One gave its place to the other, which has no pods to wait for.
	write(names)
	moved()
	s.set(newNode("n2", 8, 8))
	s.ledger.remove(newNode("n1", 8, 8))
	s.ledger.decide(s.now)
	if !s.ledger.moved(client.ObjectKeyFromObject(high)) {
		t.Error("a gang that goes on at another place is not written first")
	}
}

func TestWhatCannotBeFollowed(t *testing.T) {
	g := newGang("a", 2, 1)
	g.Spec.PodSets[0].Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{}}, // of no topology
	}}
	s := newServer(t, newNode("n1", 8, 4), g)
	s.settle()
	s.expect(map[string]string{"a": "Stalled (InvalidSpec)"})

	g = s.gang("a").DeepCopy()
	g.Generation, g.Spec.PodSets[0].Affinity = 2, nil
	s.set(g)
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*2"})
}

// TestRestart: another process, which hears of gangs first, decides nothing anew.
func TestRestart(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newNode("n2", 8, 4), newGang("a", 5, 1), newGang("b", 2, 1), newGang("c", 4, 1))
	s.settle()
	want := map[string]string{"a": s.tells("a"), "b": s.tells("b"), "c": s.tells("c")}

	again := newServer(t)
	again.gangs = s.gangs
	for _, name := range []string{"c", "b", "a"} {
		again.ledger.set(s.gang(name).DeepCopy())
	}
	again.set(newNode("n2", 8, 4))
	again.set(newNode("n1", 8, 4))
	if writes := again.settle(); writes != 0 {
		t.Errorf("a restart wrote %d times", writes)
	}
	again.expect(want)
}

// TestStatusOfAnotherHand: somebody else's write is overwritten.
func TestStatusOfAnotherHand(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newGang("a", 2, 1))
	s.settle()
	g := s.gang("a").DeepCopy()
	g.Status.Placement[0].Slots[0].Node = "elsewhere"
	s.set(g)
	s.settle()
	s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*2"})
}

func TestLateNewsIsOld(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), newGang("a", 2, 1))
	late := s.gang("a").DeepCopy()
	s.settle()
	if s.ledger.set(late) {
		t.Error("a version from before the scheduler's own write is taken for news")
	}
}

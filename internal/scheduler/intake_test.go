// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// ourPod is one that this scheduler is to bind, of one GPU.
func ourPod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := newPod(name, "", quantities(1, 1))
	p.Spec.SchedulerName, p.CreationTimestamp = slipwayv1.SchedulerName, metav1.NewTime(noon)
	p.Labels, p.Annotations = map[string]string{}, map[string]string{}
	for _, c := range change {
		c(p)
	}
	return p
}

func boundTo(node string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = node } }

func labelled(key, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels[key] = value }
}

func ranked(priority int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Priority = &priority }
}

// ofGroup is in a group that starts with so many.
func ofGroup(name string, least int) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Labels[labelGroup], p.Labels[labelGroupLeast] = name, fmt.Sprint(least)
	}
}

// cluster is an API server in memory that also holds pods, and carries out what the
// ledger wants done about them.
type cluster struct {
	*server
	pods map[string]*corev1.Pod
	// did is all that was done about pods, in words.
	did []string
}

func newCluster(t *testing.T, nodes ...*corev1.Node) *cluster {
	c := &cluster{server: newServer(t), pods: map[string]*corev1.Pod{}}
	for _, n := range nodes {
		c.set(n)
	}
	return c
}

func (c *cluster) add(pods ...*corev1.Pod) {
	for _, p := range pods {
		c.pods[p.Name] = p
		c.set(p)
	}
}

// rest carries everything out until nothing is left to do, and returns what was done
// about pods.
func (c *cluster) rest() string {
	c.t.Helper()
	c.did = nil
	waits := map[string]string{}
	for range 20 {
		c.settle()
		ripe := c.ledger.takeRipe()
		if len(ripe) == 0 {
			break
		}
		slices.SortFunc(ripe, func(a, b types.NamespacedName) int { return strings.Compare(a.Name, b.Name) })
		for _, name := range ripe {
			if e, is := c.ledger.errand(name); is {
				c.run(e, waits)
			}
		}
	}
	for name, why := range waits {
		c.did = append(c.did, name+": "+why)
	}
	slices.Sort(c.did)
	return strings.Join(c.did, "\n")
}

func (c *cluster) run(e errand, waits map[string]string) {
	p := c.pods[e.name.Name]
	delete(waits, e.name.Name)
	switch {
	case e.delete != "":
		c.did = append(c.did, "delete "+p.Name)
		c.end(p.Name)
	case e.held:
		c.did = append(c.did, "hold "+p.Name+"@"+e.bind)
		c.add(heldTo(p, e.bind))
	case e.bind != "":
		c.did = append(c.did, p.Name+"@"+e.bind)
		p = p.DeepCopy()
		p.Spec.NodeName = e.bind
		maps.Copy(p.Annotations, e.annotations())
		c.add(p)
	case e.advice != "":
		c.did = append(c.did, "advise "+p.Name)
	case e.announce:
		c.did = append(c.did, "tell "+e.podGroup)
		c.ledger.toldPlaced(types.NamespacedName{Namespace: e.name.Namespace, Name: e.podGroup})
	default:
		for _, claim := range e.assign {
			c.did = append(c.did, fmt.Sprintf("claim %s@%s", claim.Name, e.node))
		}
		waits[p.Name] = e.wait
	}
}

// end a pod: it is gone.
func (c *cluster) end(name string) {
	c.ledger.remove(c.pods[name])
	delete(c.pods, name)
}

func (c *cluster) does(want ...string) {
	c.t.Helper()
	if diff := cmp.Diff(strings.Join(want, "\n"), c.rest()); diff != "" {
		c.t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPodsAlone(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2))
	c.add(ourPod("a"), ourPod("b"), ourPod("c"))
	c.does("a@n1", "b@n1",
		"c: needs 1 pod of 1 cpu and 1 nvidia.com/gpu; none fits now: 1 node has too little nvidia.com/gpu (0 free of 2)")
	c.end("a")
	c.does("c@n1")
	gated := ourPod("gated", func(p *corev1.Pod) { p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "x"}} })
	others := ourPod("others", func(p *corev1.Pod) { p.Spec.SchedulerName = corev1.DefaultSchedulerName })
	c.end("b")
	c.add(gated, others)
	c.does()
	gated = gated.DeepCopy()
	gated.Spec.SchedulingGates = nil
	c.add(gated)
	c.does("gated@n1")
}

// TestPodsOfAProject are charged to it, and give way to one that is guaranteed its part.
func TestPodsOfAProject(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 4))
	c.set(&slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "p", Generation: 1}, Spec: slipwayv1.ProjectSpec{
		Quota: []slipwayv1.Quota{{Resource: "nvidia.com/gpu", Limit: ptr.To(resource.MustParse("1"))}}}})
	c.add(ourPod("a", labelled(slipwayv1.LabelQueueName, "p")), ourPod("b", labelled(slipwayv1.LabelProject, "p")))
	c.does("a@n1", "b: needs 1 nvidia.com/gpu; project p may use 1 and uses 1")
	c.end("a")
	c.does("b@n1")
}

func TestPodsGiveWay(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2))
	c.add(ourPod("low-0"), ourPod("low-1"))
	c.does("low-0@n1", "low-1@n1")
	c.add(ourPod("high", ranked(10)))
	c.rest()
	c.ledger.plan()
	got := c.rest()
	if !strings.HasPrefix(got, "delete low-") || !strings.HasSuffix(got, "high@n1") && !strings.Contains(got, "high@n1") {
		t.Errorf("did:\n%s", got)
	}
}

// TestGroups start whole, with as many as they say, and others join them later.
func TestGroups(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2), newNode("n2", 8, 1))
	c.add(ourPod("a", ofGroup("g", 3)), ourPod("b", ofGroup("g", 3)))
	c.does("a: waits for the pods of its group: 2 of 3 are there", "b: waits for the pods of its group: 2 of 3 are there")
	c.add(ourPod("alone"))
	c.does("alone@n2")
	c.add(ourPod("c", ofGroup("g", 3)))
	if got := c.rest(); strings.Contains(got, "@") || !strings.Contains(got, "needs 3 pods") {
		t.Errorf("half a group: %s", got)
	}
	c.end("alone")
	c.does("a@n1", "b@n1", "c@n2")
	c.add(ourPod("d", ofGroup("g", 3)))
	if got := c.rest(); !strings.HasPrefix(got, "d: ") {
		t.Errorf("did %q", got)
	}
	c.end("b")
	c.does("d@n1")
}

// TestGroupOfAStatefulSet is told why the others do not come: they are made after this one runs.
func TestGroupOfAStatefulSet(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2))
	c.add(ourPod("db-0", ofGroup("g", 2), func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "db", UID: "db", Controller: ptr.To(true)}}
	}))
	c.does("db-0: waits for the pods of its group: 1 of 2 are there; StatefulSet db makes one after another unless its podManagementPolicy is Parallel")
}

// TestGroupOfDifferentPods has a set for each kind of them.
func TestGroupOfDifferentPods(t *testing.T) {
	c := newCluster(t, newNode("cpu", 8, 0), newNode("gpu", 8, 1))
	launcher := ourPod("launcher", ofGroup("g", 2))
	launcher.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: quantities(8, 0)}
	c.add(launcher, ourPod("worker", ofGroup("g", 2)))
	c.does("launcher@cpu", "worker@gpu")
}

func TestKubernetesPodGroups(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 4))
	in := func(p *corev1.Pod) { p.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: ptr.To("g")} }
	c.add(ourPod("a", in))
	c.does("a: there is no PodGroup g; make it")
	group := &schedulingv1beta1.PodGroup{ObjectMeta: metav1.ObjectMeta{Name: "g", Namespace: "ns"}, Spec: schedulingv1beta1.PodGroupSpec{
		SchedulingPolicy: schedulingv1beta1.PodGroupSchedulingPolicy{Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: 2}}}}
	c.set(group)
	c.does("a: waits for the pods of its group: 1 of 2 are there")
	c.add(ourPod("b", in))
	c.does("a@n1", "b@n1", "tell g")
	c.does()
	c.set(group) // It does not say so after all.
	c.does("tell g")
	group.Status.Conditions = []metav1.Condition{{Type: schedulingv1beta1.PodGroupInitiallyScheduled, Status: metav1.ConditionTrue}}
	if c.set(group); c.ledger.setPodGroup(group) {
		t.Error("a group that says it was placed is news")
	}
	c.does()
}

// TestPodsOfAGang are bound when it is placed, each to a place of its own.
func TestPodsOfAGang(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2), newNode("n2", 8, 2))
	of := func(name, index string) *corev1.Pod {
		return ourPod(name, labelled(slipwayv1.LabelGang, "g"), labelled(slipwayv1.LabelPodSet, "worker"),
			labelled(batchv1.JobCompletionIndexAnnotation, index))
	}
	c.add(of("first", "0"))
	c.does("first: there is no Gang ns/g, which its label slipway.dev/gang names")
	c.set(newGang("g", 4, 1))
	c.does("first@n1")
	c.add(of("last", "3"), of("beyond", "9"), of("third", "2"), of("fifth", "4"))
	c.does("beyond@n1", "fifth: the places of Gang ns/g are all taken", "last@n2", "third@n2")
	c.end("last")
	c.does("fifth@n2")
}

// TestPodsChangeSides: another label is another gang, and a gang that is gone has no
// places.
func TestPodsChangeSides(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2))
	of := func(p *corev1.Pod) {
		p.Labels[slipwayv1.LabelGang], p.Labels[slipwayv1.LabelPodSet] = "g", "worker"
	}
	c.set(newGang("g", 1, 1))
	c.settle()
	c.ledger.remove(c.gang("g"))
	c.add(ourPod("a", of))
	c.does("a: there is no Gang ns/g, which its label slipway.dev/gang names")
	alone := c.pods["a"].DeepCopy()
	alone.Labels = nil
	c.add(alone)
	c.does("a@n1")
	c.add(ourPod("b"))
	c.does("b@n1")
}

// TestAGangThatShrinks keeps the places where its pods are.
func TestAGangThatShrinks(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2), newNode("n2", 8, 2))
	c.set(newGang("g", 4, 1))
	for i := range 4 {
		c.add(ourPod(fmt.Sprint("p", i), labelled(slipwayv1.LabelGang, "g"), labelled(slipwayv1.LabelPodSet, "worker")))
	}
	c.does("p0@n1", "p1@n1", "p2@n2", "p3@n2")
	c.end("p0")
	c.end("p1")
	g := c.gang("g").DeepCopy()
	g.Generation, g.Spec.PodSets[0].Count = 2, 2
	c.set(g)
	c.does()
	c.expect(map[string]string{"g": "Placed Ready (Placed) worker n2*2"})
	c.set(newGang("next", 2, 1))
	c.does()
	c.expect(map[string]string{"next": "Placed Ready (Placed) worker n1*2"})
}

// TestPodsAfterARestart are where they were, and count once.
func TestPodsAfterARestart(t *testing.T) {
	c := newCluster(t)
	c.add(ourPod("a", ofGroup("g", 2), boundTo("n2")), ourPod("b", ofGroup("g", 2), boundTo("n1")),
		ourPod("alone", boundTo("n1")), ourPod("new", ofGroup("g", 2)), ourPod("more"))
	c.set(newNode("n1", 8, 3))
	c.set(newNode("n2", 8, 1))
	if got := c.rest(); !strings.Contains(got, "@n1") || strings.Contains(got, "@n2") || strings.Count(got, "@") != 1 {
		t.Errorf("did:\n%s", got)
	}
}

func TestPodsOnALostNode(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 1))
	c.add(ourPod("a"))
	c.does("a@n1")
	c.ledger.remove(newNode("n1", 8, 1))
	c.does() // Kubernetes deletes it, and its controller makes another.
	c.end("a")
	c.set(newNode("n2", 8, 1))
	c.add(ourPod("again"))
	c.does("again@n2")
}

// TestClaims: a volume decides where its pod goes, or is made where the pod goes.
func TestClaims(t *testing.T) {
	mounts := func(claim string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}}
		}
	}
	claim := func(name, class, volume string) *corev1.PersistentVolumeClaim {
		o := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns"},
			Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: &class, VolumeName: volume}}
		if volume != "" {
			o.Status.Phase = corev1.ClaimBound
		}
		return o
	}
	volume := func(name, node string) *corev1.PersistentVolume {
		return &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PersistentVolumeSpec{
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{node}}}}}}}}}
	}
	c := newCluster(t, newNode("n1", 8, 4), newNode("n2", 8, 4))
	later := storagev1.VolumeBindingWaitForFirstConsumer
	c.set(&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "later"}, Provisioner: "x", VolumeBindingMode: &later})
	c.set(&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "at-once"}, Provisioner: "x"})

	c.add(ourPod("a", mounts("far")))
	c.does("a: there is no PersistentVolumeClaim far; make it or name another")
	c.set(claim("far", "at-once", ""))
	c.does("a: the claim far has no volume yet")
	c.set(volume("pv", "n2"))
	c.set(claim("far", "at-once", "pv"))
	c.does("a@n2")

	c.set(claim("near", "later", ""))
	c.add(ourPod("b", mounts("near")))
	chosen := c.rest()
	if !strings.HasPrefix(chosen, "b: the claim near has no volume yet\nclaim near@n") {
		t.Fatalf("did:\n%s", chosen)
	}
	node := chosen[len(chosen)-2:]
	c.set(volume("made", node))
	c.set(claim("near", "later", "made"))
	c.does("b@" + node)
}

func TestWhatPodsCannotAsk(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 4))
	c.add(ourPod("a", func(p *corev1.Pod) { p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "x"}} }))
	const why = ": " + notHeld
	c.does("a" + why)
	// Nor when they join a group that runs.
	c.add(ourPod("b", ofGroup("g", 1)))
	c.does("b@n1")
	c.add(ourPod("c", ofGroup("g", 1), func(p *corev1.Pod) { p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "x"}} }))
	c.does("c" + why)
}

// FuzzIntake: whatever pods come, go and are lost, no node gets more than it has, and
// no group starts with less than it says; and another scheduler moves nothing.
func FuzzIntake(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	f.Add([]byte{0x11, 0x52, 0x93, 0xd4, 0x15, 0x56, 0x97, 0xd8, 0x19})
	f.Fuzz(func(t *testing.T, steps []byte) {
		if len(steps) > 40 {
			return
		}
		c, started := newCluster(t, newNode("n1", 8, 2), newNode("n2", 8, 3)), map[string]bool{}
		for i, step := range steps {
			name := fmt.Sprint("p", i)
			switch step % 5 {
			case 0:
				c.add(ourPod(name))
			case 1, 2:
				c.add(ourPod(name, ofGroup(fmt.Sprint("g", step>>3%3), 2+int(step>>6)), ranked(int32(step>>5))))
			case 3:
				if gone := fmt.Sprint("p", int(step)%(i+1)); c.pods[gone] != nil {
					c.end(gone)
				}
			case 4:
				c.rest()
				c.ledger.plan()
			}
			c.rest()
			checkIntake(t, c, started)
		}
		again := newCluster(t, newNode("n1", 8, 2), newNode("n2", 8, 3))
		for _, p := range c.pods {
			again.add(p)
		}
		again.rest()
		checkIntake(t, again, started)
		for name, p := range c.pods {
			if q := again.pods[name]; p.Spec.NodeName != "" && (q == nil || q.Spec.NodeName != p.Spec.NodeName) {
				t.Fatalf("a restart moved %s", name)
			}
		}
	})
}

func checkIntake(t *testing.T, c *cluster, started map[string]bool) {
	t.Helper()
	used, bound, all, least := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, p := range c.pods {
		g := groupingOf(p)
		all[g.key]++
		least[g.key] = max(least[g.key], int(g.least))
		if p.Spec.NodeName != "" {
			used[p.Spec.NodeName]++
			bound[g.key]++
		}
	}
	if used["n1"] > 2 || used["n2"] > 3 {
		t.Fatalf("nodes are over-committed: %v", used)
	}
	for key := range all {
		if bound[key] > 0 && !started[key] && all[key] < least[key] {
			t.Fatalf("%s starts with %d pods of %d", key, all[key], least[key])
		}
	}
	for key := range least {
		started[key] = bound[key] > 0
	}
}

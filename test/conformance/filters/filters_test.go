// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package filters

import (
	"flag"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
	"sigs.k8s.io/yaml"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/scheduler"
)

var clusters = flag.Int("clusters", 4000, "how many random clusters TestFilters makes")

const set = "worker"

// TestFilters asks both schedulers about every node of many random clusters.
func TestFilters(t *testing.T) {
	count := tally{}
	for seed := range *clusters {
		compare(t, thrown(uint64(seed), 600), count)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	count.check(t)
}

// FuzzFilters is the same on clusters made from bytes.
func FuzzFilters(f *testing.F) {
	for seed := range uint64(16) {
		f.Add(thrown(seed, 600).data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { compare(t, &dice{data}, tally{}) })
}

// tally counts answers by who gave them, to show that the inputs are worth asking.
type tally map[string]int

// check that each filter refused something, that there was agreement on yes, and
// that some gangs could not be followed.
func (c tally) check(t *testing.T) {
	t.Log(c)
	for _, answer := range []string{"yes", "refused", "NodeName", "NodeUnschedulable", "TaintToleration", "NodeAffinity", "NodePorts", "InterPodAffinity", "PodTopologySpread", "NodeResourcesFit"} {
		if c[answer] < *clusters/50 {
			t.Errorf("%s was the answer %d times only", answer, c[answer])
		}
	}
}

func compare(t *testing.T, d *dice, count tally) {
	namespaces, nodes := d.namespaces(), d.nodes()
	var pods []*corev1.Pod
	for i := range d.n(6) {
		if p, valid := stored(t, d.bound(i)); valid {
			pods = append(pods, p)
		}
	}
	template := d.template()
	if d.oneIn(20) {
		template.Spec.NodeName = nodeName(d.n(maxNodes))
	}
	ours := scheduler.NewRehearsal()
	tell(ours, namespaces)
	tell(ours, nodes)
	tell(ours, pods)
	pod, valid := stored(t, podOf(template))
	if !valid {
		count["invalid"]++
		return
	}
	gang := gangOf(template)
	refused := newUpstream(t, namespaces, nodes, pods).refusals(pod)
	for _, n := range nodes {
		takes, err := ours.Takes(gang, set, n.Name)
		if unclear := unparsable(template.Spec.Affinity); (err != nil) != (unclear != nil) {
			t.Fatalf("ours says %v of an affinity of which Kubernetes says %v", err, unclear)
		}
		switch why := refused[n.Name]; {
		case err != nil:
			count["refused"]++
		case takes != (why == ""):
			// Ours sends nothing to where it would be evicted from.
			if takes || !evicted(n, pod) {
				t.Errorf("%s: ours takes the pod: %t; Kubernetes: %q\n%s", n.Name, takes, why, plain(t, namespaces, nodes, pod, pods, gang.Spec.PodSets))
			}
			count["evicted"]++
		default:
			count.note(why)
		}
	}
}

// note an answer by the plugin that gave it.
func (c tally) note(refusal string) {
	plugin, _, refused := strings.Cut(refusal, ":")
	if !refused {
		plugin = "yes"
	}
	c[plugin]++
}

func podOf(template corev1.PodTemplateSpec) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "new", Namespace: namespace, UID: "uid-new", Labels: template.Labels},
		Spec:       *template.Spec.DeepCopy(),
	}
}

func gangOf(template corev1.PodTemplateSpec) *slipwayv1.Gang {
	return &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{Name: "new", Namespace: namespace, UID: types.UID("uid-gang")},
		Spec:       slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{podset.Of(set, 1, &template, nil)}},
	}
}

// unparsable is what Kubernetes has against the wording of a node affinity.
func unparsable(a *corev1.Affinity) error {
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil
	}
	_, err := nodeaffinity.NewNodeSelector(a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
	return err
}

// evicted says that the node has a taint which the pod tolerates only so long.
func evicted(n *corev1.Node, p *corev1.Pod) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(taint corev1.Taint) bool {
		return taint.Effect == corev1.TaintEffectNoExecute && !slices.ContainsFunc(p.Spec.Tolerations, func(t corev1.Toleration) bool {
			return t.TolerationSeconds == nil && t.ToleratesTaint(klog.Background(), &taint, false)
		})
	})
}

// plain is what a difference is about, to be read.
func plain(t *testing.T, objects ...any) string {
	var b strings.Builder
	for _, o := range objects {
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("---\n" + string(text))
	}
	return b.String()
}

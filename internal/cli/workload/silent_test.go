// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unready makes pods that run on a node, as it was last said, and are not ready.
func unready(node string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.NodeName, p.Status.Phase = node, corev1.PodRunning
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
	}
}

// nodeWith a condition that changed ten seconds after 1970, and taints.
func nodeWith(of corev1.NodeConditionType, status corev1.ConditionStatus, taints ...corev1.Taint) *corev1.Node {
	n := &corev1.Node{Spec: corev1.NodeSpec{Taints: taints}}
	n.Status.Conditions = []corev1.NodeCondition{{Type: of, Status: status, LastTransitionTime: metav1.Unix(10, 0)}}
	return n
}

func TestSilent(t *testing.T) {
	taint := func(key string, effect corev1.TaintEffect, at *metav1.Time) corev1.Taint {
		return corev1.Taint{Key: key, Effect: effect, TimeAdded: at}
	}
	at := ptr.To(metav1.Unix(15, 0))
	since := Silence{Since: time.Unix(10, 0), Tainted: time.Unix(10, 0)}
	for name, c := range map[string]struct {
		node   *corev1.Node
		want   Silence
		silent bool
	}{
		"gone":             {nil, Silence{}, true},
		"ready":            {nodeWith(corev1.NodeReady, corev1.ConditionTrue), Silence{}, false},
		"not well":         {nodeWith(corev1.NodeReady, corev1.ConditionFalse), Silence{}, false},
		"of another thing": {nodeWith(corev1.NodeDiskPressure, corev1.ConditionUnknown), Silence{}, false},
		"silent":           {nodeWith(corev1.NodeReady, corev1.ConditionUnknown), since, true},
		"tainted": {nodeWith(corev1.NodeReady, corev1.ConditionUnknown, taint(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute, at)),
			Silence{Since: time.Unix(10, 0), Tainted: time.Unix(15, 0)}, true},
		"otherwise tainted": {nodeWith(corev1.NodeReady, corev1.ConditionUnknown, taint("other", corev1.TaintEffectNoExecute, at),
			taint(corev1.TaintNodeUnreachable, corev1.TaintEffectNoSchedule, at), taint(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute, nil)), since, true},
	} {
		got, silent := Silent(c.node)
		if diff := cmp.Diff(c.want, got); diff != "" || silent != c.silent {
			t.Errorf("%s: silent %t, want %t (-want +got):\n%s", name, silent, c.silent, diff)
		}
	}
}

// TestTolerated: the longest toleration counts, and one without an end is for ever.
func TestTolerated(t *testing.T) {
	tolerates := func(key string, operator corev1.TolerationOperator, effect corev1.TaintEffect, seconds *int64) corev1.Toleration {
		return corev1.Toleration{Key: key, Operator: operator, Effect: effect, TolerationSeconds: seconds}
	}
	const exists, equal, unreachable, goes = corev1.TolerationOpExists, corev1.TolerationOpEqual, corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute
	for name, c := range map[string]struct {
		tolerations []corev1.Toleration
		until       int64
		ends        bool
	}{
		"none":        {nil, 15, true},
		"a minute":    {[]corev1.Toleration{tolerates(unreachable, exists, goes, ptr.To[int64](60)), tolerates(unreachable, exists, goes, ptr.To[int64](30))}, 75, true},
		"any effect":  {[]corev1.Toleration{tolerates(unreachable, exists, "", ptr.To[int64](60))}, 75, true},
		"any taint":   {[]corev1.Toleration{tolerates("", exists, goes, ptr.To[int64](60))}, 75, true},
		"another one": {[]corev1.Toleration{tolerates("other", exists, goes, nil), tolerates("", equal, goes, nil)}, 15, true},
		"its start":   {[]corev1.Toleration{tolerates(unreachable, exists, corev1.TaintEffectNoSchedule, nil)}, 15, true},
		"for ever":    {[]corev1.Toleration{tolerates(unreachable, exists, goes, nil), tolerates(unreachable, exists, goes, ptr.To[int64](60))}, 75, false},
	} {
		until, ends := Silence{Tainted: time.Unix(15, 0)}.tolerated(c.tolerations)
		if until.Unix() != c.until || ends != c.ends {
			t.Errorf("%s: until %d, ends %t; want %d, %t", name, until.Unix(), ends, c.until, c.ends)
		}
	}
}

// nodeReader has some nodes, and answers an error for others; it records who is asked for.
type nodeReader struct {
	client.Reader
	nodes map[string]*corev1.Node
	err   error
	asked []string
}

func (r *nodeReader) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	r.asked = append(r.asked, key.Name)
	n := r.nodes[key.Name]
	if n == nil {
		return r.err
	}
	n.DeepCopyInto(into.(*corev1.Node))
	return nil
}

// TestListen: only nodes of pods in doubt are asked for, each once.
func TestListen(t *testing.T) {
	gone := apierrors.NewNotFound(corev1.Resource("nodes"), "n2")
	for name, c := range map[string]struct {
		pods    []corev1.Pod
		ended   bool // the job was deleted
		err     error
		asked   string
		silent  string
		problem string
	}{
		"all is well":        {pods: []corev1.Pod{podOf(0, onNode), podOf(1)}},
		"one silent":         {pods: []corev1.Pod{podOf(0, unready("n1")), podOf(1, unready("n1")), podOf(2, unready("n3"))}, asked: "n1 n3", silent: "n1"},
		"one gone":           {pods: []corev1.Pod{podOf(0, unready("n2"))}, err: gone, asked: "n2", silent: "n2"},
		"told to end":        {pods: []corev1.Pod{podOf(0, unready("n1"), deleted(60))}},
		"told with its job":  {pods: []corev1.Pod{podOf(0, deleted(60))}, ended: true, asked: "n1", silent: "n1"},
		"stays without job":  {pods: []corev1.Pod{podOf(0, onNode)}, ended: true},
		"may not read nodes": {pods: []corev1.Pod{podOf(0, unready("n2"))}, err: apierrors.NewForbidden(corev1.Resource("nodes"), "n2", nil), asked: "n2"},
		"no answer":          {pods: []corev1.Pod{podOf(0, unready("n2"))}, err: errors.New("no route"), asked: "n2", problem: "reading node n2: no route"},
	} {
		r := &nodeReader{err: c.err, nodes: map[string]*corev1.Node{"n1": nodeWith(corev1.NodeReady, corev1.ConditionUnknown), "n3": nodeWith(corev1.NodeReady, corev1.ConditionTrue)}}
		job := jobWith()
		if c.ended {
			job.DeletionTimestamp = ptr.To(metav1.Unix(1, 0))
		}
		all := []Workload{Assemble(kindNamed(t, "pytorchjob"), job, nil, c.pods)}
		err := Listen(t.Context(), r, all)
		var silent []string
		for node := range all[0].silent {
			silent = append(silent, node)
		}
		if c.problem == "" && err != nil || c.problem != "" && fmt.Sprint(err) != c.problem {
			t.Errorf("%s: got %v, want %q", name, err, c.problem)
		}
		if slices.Sort(silent); strings.Join(r.asked, " ") != c.asked || strings.Join(silent, " ") != c.silent {
			t.Errorf("%s: asked for %v, silent are %v; want %q and %q", name, r.asked, silent, c.asked, c.silent)
		}
	}
}

// TestSilenceInWords counts the pods on the first node, and those on others, apart.
func TestSilenceInWords(t *testing.T) {
	w := Assemble(kindNamed(t, "pytorchjob"), jobWith(), nil, []corev1.Pod{podOf(0, unready("n1")), podOf(1, unready("n1")), podOf(2, unready("n2"))})
	w.silent = map[string]Silence{"n1": {}, "n2": {}}
	if got, want := w.silence(), "node n1 is gone; 2 pods there are made again elsewhere (so it is with 1 pod more, on other nodes)"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	if got, want := w.Silence(&w.Pods[2]), "node n2 is gone; pod tiny-worker-1 there is made again elsewhere"; got != want {
		t.Errorf("of one says %q, want %q", got, want)
	}
	if w.silent = map[string]Silence{"n2": {}}; w.Silence(&w.Pods[0]) != "" {
		t.Errorf("of one on a node that answers says %q", w.Silence(&w.Pods[0]))
	}
}

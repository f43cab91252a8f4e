// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/workload"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// decide on a cluster as the scheduler does that has watched it for long. That one knows for
// whom others gave way, and keeps their room; who sees the cluster for the first time would
// find no room while their pods are ending, and let still others give way. So while room is
// being made these pods are taken to have ended.
func decide(s *snapshot.Snapshot) *scheduler.Decided {
	if !slices.ContainsFunc(s.Gangs, func(g *slipwayv1.Gang) bool { return isMakingRoom(g.Status.Placed()) }) {
		return scheduler.Decide(s)
	}
	ending := map[*corev1.Pod]bool{}
	for _, p := range endingPods(s) {
		ending[p] = true
	}
	settled := *s
	settled.Pods = slices.DeleteFunc(slices.Clone(s.Pods), func(p *corev1.Pod) bool { return ending[p] })
	return scheduler.Decide(&settled)
}

// isMakingRoom: others gave way to the gang that was told this, and their pods are ending.
func isMakingRoom(told *metav1.Condition) bool {
	return told != nil && told.Status == metav1.ConditionFalse && told.Reason == string(placement.MakingRoom)
}

// endingPods have a node and are about to leave it: they were deleted, or will be, since
// their gang gave its places back.
func endingPods(s *snapshot.Snapshot) []*corev1.Pod {
	gaveWay := map[client.ObjectKey]bool{}
	for _, g := range s.Gangs {
		told := g.Status.Placed()
		gaveWay[client.ObjectKeyFromObject(g)] = told != nil && told.Status == metav1.ConditionFalse && told.Reason == string(placement.Evicted)
	}
	var ending []*corev1.Pod
	for _, p := range s.Pods {
		gang := client.ObjectKey{Namespace: p.Namespace, Name: p.Labels[slipwayv1.LabelGang]}
		if p.Spec.NodeName != "" && (p.DeletionTimestamp != nil || gaveWay[gang]) {
			ending = append(ending, p)
		}
	}
	return ending
}

// makingRoom are the pods whose end a gang awaits that has its places once they are gone.
func (f *Facts) makingRoom(told *metav1.Condition, answer *scheduler.Answer) []*corev1.Pod {
	if f.Cluster == nil || !isMakingRoom(told) || answer.State != placement.Placed {
		return nil
	}
	goesTo := map[string]bool{}
	for _, set := range answer.Status.Placement {
		for _, slot := range set.Slots {
			goesTo[slot.Node] = true
		}
	}
	return slices.DeleteFunc(endingPods(f.Cluster), func(p *corev1.Pod) bool { return !goesTo[p.Spec.NodeName] })
}

// awaits explains a gang that starts once pods have ended: in the words that it was told,
// since it waits for nothing else.
func (f *Facts) awaits(o *outline, g *slipwayv1.Gang, told *metav1.Condition, ending []*corev1.Pod) {
	name := client.ObjectKeyFromObject(g)
	o.say("gang %s %s%s", g.Name, f.state(g, placement.Waiting), f.terms(g, name))
	o.below(func() {
		why, _, _ := scheduler.CutStart(told.Message, g.Status.Promise)
		o.say("%s", why)
		f.ending(o, ending, name.Namespace)
		f.quota(o, f.Decided.Project(name))
	})
}

// ending pods, the first few of them, below the line before.
func (f *Facts) ending(o *outline, pods []*corev1.Pod, here string) {
	o.below(func() {
		for _, p := range pods[:min(len(pods), maxNames)] {
			o.say("%s", f.ends(p, here))
		}
		if more := len(pods) - maxNames; more > 0 {
			o.say("and %s more", placement.Count(more, "pod"))
		}
	})
}

// ends says until when a pod does, as people in a namespace write its name.
func (f *Facts) ends(p *corev1.Pod, here string) string {
	name := p.Name
	if p.Namespace != here {
		name = p.Namespace + "/" + name
	}
	if p.DeletionTimestamp == nil {
		return "pod " + name + " on " + p.Spec.NodeName + " is about to be told to end"
	}
	return "pod " + name + " on " + p.Spec.NodeName + " " + f.toldToEnd(p)
}

// toldToEnd says until when a pod has time to, and what its node says of that if it says nothing.
func (f *Facts) toldToEnd(p *corev1.Pod) string {
	text := "was told to end, and has time for that until " + f.moment(p.DeletionTimestamp.Time)
	if n := f.nodes()[p.Spec.NodeName]; n != nil {
		if s, silent := workload.Silent(n); silent {
			text += "; " + s.Words(n.Name) + "; " + s.Remedy(n.Name)
		}
	}
	return text
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/workload"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// groups explains pods that have no Gang: each is placed alone, or with its group.
func (f *Facts) groups(o *outline) {
	pods := slices.DeleteFunc(slices.Clone(f.Pods), func(p corev1.Pod) bool {
		return !isOurs(p) || snapshot.Ended(&p) || p.Labels[slipwayv1.LabelGang] != ""
	})
	if len(pods) == 0 {
		return
	}
	if f.Subject.Kind.Kind != "Pod" {
		w := workload.Workload{Pods: pods}
		w.Hear(f.nodes())
		unheard, silence := w.Unheard()
		o.say("%s", counted(pods, unheard))
		if silence != "" {
			o.say("%s", silence)
		}
	}
	if f.Decided == nil {
		return
	}
	waiters := f.waiters(pods)
	for _, w := range waiters[:min(len(waiters), maxNames)] {
		f.groupWaits(o, w)
	}
	if more := len(waiters) - maxNames; more > 0 {
		o.say("and %d more wait for other reasons; name one of them: slipway why pod/NAME", more)
	}
	f.groupTerms(o, pods, len(waiters) == 0)
}

// waiter is the first of the pods that wait for the same, and how many more do: each is placed
// alone, or with its group.
type waiter struct {
	pod  *corev1.Pod
	why  string
	more int
}

func (f *Facts) waiters(pods []corev1.Pod) []waiter {
	var all []waiter
	seen := map[types.NamespacedName]bool{}
	for i := range pods {
		name, is := f.Decided.Group(&pods[i])
		answer, _ := f.Decided.Answer(name)
		if !is || seen[name] || answer.Reason == nil && answer.State == placement.Placed {
			continue
		}
		seen[name] = true
		w := waiter{pod: &pods[i], why: string(answer.State) + answer.Reason.String()}
		if first := slices.IndexFunc(all, func(o waiter) bool { return o.why == w.why }); first >= 0 {
			all[first].more++
			continue
		}
		all = append(all, w)
	}
	return all
}

// counted pods that run, that start, that wait and that were told to end, and the nodes that they are on;
// of those that ran when their nodes were last heard of nobody knows.
func counted(pods []corev1.Pod, unheard int) string {
	on := slipwayv1.PodSetPlacement{}
	running, waiting, ending := 0, 0, 0
	for i := range pods {
		switch p := &pods[i]; {
		case p.Spec.NodeName == "":
			waiting++
			continue
		case p.DeletionTimestamp != nil:
			ending++
		case p.Status.Phase == corev1.PodRunning:
			running++
		}
		on.Slots = append(on.Slots, slipwayv1.Slot{Node: pods[i].Spec.NodeName, Count: 1})
	}
	text := fmt.Sprintf("%d of %s running, %d starting, %d waiting for a node", running-unheard, placement.Count(len(pods)-ending, "pod"), len(on.Slots)-running-ending, waiting)
	if unheard > 0 {
		text += fmt.Sprintf(", %d unknown", unheard)
	}
	if ending > 0 {
		text += fmt.Sprintf(", %d more ending", ending)
	}
	if len(on.Slots) > 0 {
		slices.SortFunc(on.Slots, func(a, b slipwayv1.Slot) int { return cmp.Compare(a.Node, b.Node) })
		text += "; on " + nodes([]slipwayv1.PodSetPlacement{on})
	}
	return text
}

// groupWaits says why the group of a pod does, with its place in the queue.
func (f *Facts) groupWaits(o *outline, w waiter) {
	name, _ := f.Decided.Group(w.pod)
	answer, _ := f.Decided.Answer(name)
	who, state := name.Name, "waits"
	if w.more > 0 {
		who, state = fmt.Sprintf("%s and %d more", name.Name, w.more), "wait"
	}
	if answer.State == placement.Never {
		state = "can never run as it is"
	}
	o.say("%s %s%s", who, state, termsOf(f.Decided.Project(name), ptr.Deref(w.pod.Spec.Priority, 0), ""))
	o.below(func() {
		if answer.Reason != nil {
			o.tree(answer.Reason)
		}
		if answer.State == placement.Waiting {
			f.waits(o, name, answer)
		}
		for _, remedy := range remedies(answer.Reason) {
			o.say("to fit, %s", remedy)
		}
	})
}

// groupTerms are what the pods are charged to, and for whom they would give way.
func (f *Facts) groupTerms(o *outline, pods []corev1.Pod, run bool) {
	var told []string
	for i := range pods {
		name, is := f.Decided.Group(&pods[i])
		project := f.Decided.Project(name)
		if !is || slices.Contains(told, project) {
			continue
		}
		told = append(told, project)
		if run {
			of := uses{}
			for j := range pods {
				of.add(podset.Requests(pods[j].Spec.DeepCopy()), f.Decided.Claimed(&pods[j]))
			}
			f.givesWay(o, project, ptr.Deref(pods[i].Spec.Priority, 0), of)
		}
		f.quota(o, project)
	}
}

// group says that the pod's was explained.
func (f *Facts) group(p *corev1.Pod) bool {
	if f.Decided == nil {
		return false
	}
	_, is := f.Decided.Group(p)
	return is
}

// others says why the scheduler has nothing to say. Workloads say it themselves.
func (f *Facts) others(o *outline) {
	kind := f.Subject.Kind.Kind
	if kind == "Project" || kind == "Node" || f.Subject.Object.GetDeletionTimestamp() != nil || len(f.Gangs) > 0 || slices.ContainsFunc(f.Pods, isOurs) {
		return
	}
	_, isWorkload := workload.KindOf(f.Subject.Object)
	alive := slices.IndexFunc(f.Pods, func(p corev1.Pod) bool { return !snapshot.Ended(&p) })
	switch {
	case alive >= 0:
		o.say("slipway does not choose its nodes: the scheduler %q does", cmp.Or(f.Pods[alive].Spec.SchedulerName, corev1.DefaultSchedulerName))
	case isWorkload:
	case len(f.Pods) == 0:
		o.say("it has no pods")
	default:
		o.say("all its pods have ended")
	}
}

// isOurs: pods that name our scheduler are bound by it, or held to a node.
func isOurs(p corev1.Pod) bool {
	return p.Spec.SchedulerName == slipwayv1.SchedulerName || p.Labels[slipwayv1.LabelHeld] != ""
}

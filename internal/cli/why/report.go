// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"fmt"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/batch"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/workload"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/podset"
)

const (
	// maxGangs of a subject are explained one by one.
	maxGangs = 10
	// maxEvents are told, the last ones.
	maxEvents = 5
	// maxNames of a list are named.
	maxNames = 5
)

// Report the facts in words.
func (f *Facts) Report(w io.Writer) error {
	o := &outline{}
	o.say("%s", f.title())
	o.below(func() {
		f.deletion(o)
		f.misread(o)
		switch f.Subject.Kind.Kind {
		case "Project":
			f.project(o)
		case "Node":
			f.node(o)
		}
		for i := range f.Gangs[:min(len(f.Gangs), maxGangs)] {
			f.gang(o, &f.Gangs[i])
		}
		if more := len(f.Gangs) - maxGangs; more > 0 {
			o.say("and %s more; name one of them: slipway why gang/NAME", placement.Count(more, "gang"))
		}
		f.groups(o)
		f.pods(o)
		if !f.ended(o) {
			f.others(o)
		}
		f.recent(o)
		if f.Denied != nil {
			o.say("this is what the conditions say; to be told the place in the queue and the quota you must see the whole cluster: %s", connect.Explain(connect.Needing(connect.RoleObserve, f.Denied)))
		}
	})
	return o.print(w)
}

// misread annotations and labels of a job, which do less than they say. Events that told so are forgotten
// within the hour.
func (f *Facts) misread(o *outline) {
	if state, is := f.workloadState(); is && !state.Ended {
		for _, line := range podset.TermWarnings(f.Subject.Object) {
			o.say("%s", line)
		}
		if f.Unranked != "" {
			o.say("%s", f.Unranked)
		}
	}
}

// title is the subject with its state, where a controller of ours says that.
func (f *Facts) title() string {
	title := f.Subject.String()
	if ns := f.Subject.Object.GetNamespace(); ns != "" {
		title += " in namespace " + ns
	}
	state, is := f.workloadState()
	if !is {
		return title
	}
	title += fmt.Sprintf(": %s, %d of %s", state.Status, state.Running, placement.Count(int(state.Total), "pod"))
	if state.Status == workload.StatusTerminating {
		return title // what it holds is told below
	}
	if reason := f.beyondGangs(state.Reason); reason != "" && (state.Status != workload.StatusWaiting || len(f.Gangs) == 0) {
		title += ": " + reason
	}
	return title
}

// beyondGangs is a reason without what the gangs say below.
func (f *Facts) beyondGangs(reason string) string {
	for i := range f.Gangs {
		if c := f.Gangs[i].Status.Placed(); c != nil && c.Message != "" {
			reason = strings.Replace(reason, "; it waits: "+c.Message, "", 1)
			reason = strings.TrimPrefix(strings.TrimPrefix(reason, c.Message), "; ")
		}
	}
	return reason
}

// workloadState of a subject that is a job or a model.
func (f *Facts) workloadState() (workload.State, bool) {
	f.Subject.Object.SetGroupVersionKind(f.Subject.Kind)
	kind, is := workload.KindOf(f.Subject.Object)
	if !is {
		return workload.State{}, false
	}
	object := kind.New()
	if f.Subject.decode(object) != nil {
		return workload.State{}, false
	}
	w := workload.Assemble(kind, object, f.Gangs, f.Pods)
	w.Hear(f.nodes())
	return w.State(), true
}

// nodes of the cluster by name, as far as it may be seen.
func (f *Facts) nodes() map[string]*corev1.Node {
	nodes := map[string]*corev1.Node{}
	if f.Cluster != nil {
		for _, n := range f.Cluster.Nodes {
			nodes[n.Name] = n
		}
	}
	return nodes
}

// ended says how and when the subject did, and whether.
func (f *Facts) ended(o *outline) bool {
	state, _ := f.workloadState()
	if !state.Ended {
		return false
	}
	text := "it has ended: it " + strings.ToLower(state.Status)
	if !state.EndedAt.IsZero() {
		text += " at " + f.moment(state.EndedAt)
	}
	o.say("%s", text)
	return true
}

// pods that do not run as they should, and where a single one is.
func (f *Facts) pods(o *outline) {
	complaining := 0
	for i := range f.Pods {
		p := &f.Pods[i]
		if f.Subject.Kind.Kind == "Pod" {
			o.say("%s", f.podState(p))
		}
		words := workload.Complaint(p)
		if words == "" || p.Spec.NodeName == "" && f.group(p) {
			continue
		}
		if complaining++; complaining <= maxNames {
			o.say("pod %s: %s", p.Name, words)
		}
	}
	if more := complaining - maxNames; more > 0 {
		o.say("and %s more that do not run as they should", placement.Count(more, "pod"))
	}
}

// distinct events: what is told of a gang in the same words as of its job is told once, of
// what was asked about, and so is what is told again with more to it.
func (f *Facts) distinct() []corev1.Event {
	subject := map[[2]string]bool{}
	for _, e := range f.Events {
		if e.InvolvedObject.Kind == f.Subject.Kind.Kind {
			subject[[2]string{e.Reason, e.Message}] = true
		}
	}
	var all []corev1.Event
	for i, e := range f.Events {
		switch {
		case e.InvolvedObject.Kind != f.Subject.Kind.Kind && subject[[2]string{e.Reason, e.Message}]:
		case slices.ContainsFunc(f.Gangs, func(g slipwayv1.Gang) bool { return isTold(&g, &e) }): // and so above
		case e.Reason == podset.ReasonTerms, e.Reason == batch.ReasonClass && f.Unranked != "": // misread tells what of it is so still
		case e.InvolvedObject.Kind == "Node" && e.Type == corev1.EventTypeNormal: // kubelets tell of each step
		case slices.ContainsFunc(f.Events[i+1:], func(later corev1.Event) bool { return repeats(&later, &e) }):
		default:
			all = append(all, e)
		}
	}
	return all
}

// isTold says that a gang is told now what an event said, and maybe more.
func isTold(g *slipwayv1.Gang, e *corev1.Event) bool {
	c := g.Status.Placed()
	return c != nil && c.Reason == e.Reason && strings.HasPrefix(c.Message, e.Message)
}

// repeats says that an event of the same object says what the one before said, and more; or of a
// node the same of another moment: kubelets complain of everything again and again.
func repeats(later, before *corev1.Event) bool {
	if before.InvolvedObject.Kind == "Node" && later.InvolvedObject.Name == before.InvolvedObject.Name {
		return later.Reason == before.Reason || later.Message == before.Message
	}
	return later.InvolvedObject.Kind == before.InvolvedObject.Kind && later.InvolvedObject.Name == before.InvolvedObject.Name &&
		later.Reason == before.Reason && later.Message != before.Message && strings.HasPrefix(later.Message, before.Message)
}

func (f *Facts) podState(p *corev1.Pod) string {
	switch {
	case p.DeletionTimestamp != nil && p.Spec.NodeName != "":
		return fmt.Sprintf("%s on node %s: %s", p.Status.Phase, p.Spec.NodeName, f.toldToEnd(p))
	case p.DeletionTimestamp != nil:
		return "is being deleted"
	case p.Spec.NodeName == "":
		return fmt.Sprintf("%s: has no node yet; the scheduler %q binds it", p.Status.Phase, p.Spec.SchedulerName)
	}
	text := fmt.Sprintf("%s on node %s", p.Status.Phase, p.Spec.NodeName)
	if n := f.nodes()[p.Spec.NodeName]; n != nil {
		if s, silent := workload.Silent(n); silent {
			text += ", as was last heard: " + s.Words(n.Name)
		}
	}
	return text
}

func (f *Facts) recent(o *outline) {
	events := f.distinct()
	last := events[max(len(events)-maxEvents, 0):]
	if len(last) == 0 {
		return
	}
	o.say("events:")
	o.below(func() {
		for i := range last {
			e := &last[i]
			o.say("%s ago %s %s: %s", f.ago(happened(e)), e.InvolvedObject.Name, e.Reason, e.Message)
		}
	})
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/waiting"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler"
)

// gang explains one gang.
func (f *Facts) gang(o *outline, g *slipwayv1.Gang) {
	name := client.ObjectKeyFromObject(g)
	if g.DeletionTimestamp != nil {
		o.say("gang %s is being deleted, and asks for nothing any more", g.Name)
		return
	}
	told := g.Status.Placed()
	answer, decided := scheduler.Answer{}, false
	if f.Decided != nil {
		answer, decided = f.Decided.Answer(name)
	}
	if !decided {
		f.told(o, g, told)
		return
	}
	if ending := f.makingRoom(told, &answer); len(ending) > 0 {
		f.awaits(o, g, told, ending)
		return
	}
	o.say("gang %s %s%s", g.Name, f.state(g, answer.State), f.terms(g, name))
	o.below(func() {
		if answer.Reason != nil {
			o.tree(answer.Reason)
		}
		f.differs(o, g, answer)
		switch answer.State {
		case placement.Placed:
			f.runs(o, g, name, answer.Status.Placement)
		case placement.Waiting:
			f.waits(o, name, answer)
		}
		f.quota(o, f.Decided.Project(name))
		for _, remedy := range remedies(answer.Reason) {
			o.say("to fit, %s", remedy)
		}
	})
}

// told is what the conditions of a gang say.
func (f *Facts) told(o *outline, g *slipwayv1.Gang, told *metav1.Condition) {
	state := placement.Waiting
	switch {
	case told == nil:
	case told.Status == metav1.ConditionTrue:
		state = placement.Placed
	case meta.IsStatusConditionTrue(g.Status.Conditions, slipwayv1.ConditionStalled):
		state = placement.Never
	}
	o.say("gang %s %s%s", g.Name, f.state(g, state), f.terms(g, client.ObjectKeyFromObject(g)))
	o.below(func() {
		if told == nil {
			o.say("the scheduler has not decided yet; if that stays so see: slipway status")
			return
		}
		if told.Message != "" {
			o.say("%s", scheduler.AsOf(told.Message, g.Status.Promise, f.Now))
		}
		if state == placement.Placed {
			o.say("on %s", nodes(g.Status.Placement))
		}
	})
}

// state of a gang, and for how long it has had or lacked its places, as queue counts it, too.
func (f *Facts) state(g *slipwayv1.Gang, state placement.State) string {
	told := g.Status.Placed()
	known := told != nil && !told.LastTransitionTime.IsZero() && (told.Status == metav1.ConditionTrue) == (state == placement.Placed)
	switch {
	case state == placement.Never:
		return "can never run as it is"
	case state == placement.Placed && known:
		return "has had its places for " + f.ago(told.LastTransitionTime.Time)
	case state == placement.Placed:
		return "has its places"
	case known && told.LastTransitionTime.Sub(g.CreationTimestamp.Time) > soon:
		return "has waited for " + f.ago(waiting.Since(g)) + " of the " + f.ago(g.CreationTimestamp.Time) + " since it was made"
	case known:
		return "has waited for " + f.ago(waiting.Since(g))
	}
	return "waits"
}

// soon after it was made the scheduler has told a gang something: one that has waited since then has
// waited all the time.
const soon = time.Minute

// terms are what decides about its turn.
func (f *Facts) terms(g *slipwayv1.Gang, name types.NamespacedName) string {
	project := g.Spec.Project
	if f.Decided != nil {
		project = f.Decided.Project(name)
	}
	return termsOf(project, g.Spec.Priority, g.Spec.User)
}

func termsOf(project string, priority int32, user string) string {
	terms := []string{fmt.Sprintf("priority %d", priority)}
	if project != "" {
		terms = append(terms, "project "+project)
	}
	if user != "" {
		terms = append(terms, "of "+user)
	}
	return " (" + strings.Join(terms, ", ") + ")"
}

// differs says what the gang was told last, where that is another thing: it gave way, or
// the scheduler is about to write, or there is none; and what a scheduler knows that has watched:
// that its start was put off.
func (f *Facts) differs(o *outline, g *slipwayv1.Gang, now scheduler.Answer) {
	told, tells := g.Status.Placed(), now.Status.Placed()
	switch {
	case told == nil:
		o.say("the scheduler has not written that yet; if that stays so see: slipway status")
	case told.Reason != tells.Reason:
		o.say("was told last: %s (%s)", told.Message, told.Reason)
	default:
		why, _, _ := scheduler.CutStart(told.Message, g.Status.Promise)
		if more, is := strings.CutPrefix(why, now.Reason.String()); is && now.Reason != nil && more != "" {
			o.say("%s", strings.TrimLeft(more, ":, "))
		}
	}
}

// waits: how many are before it, and when it starts.
func (f *Facts) waits(o *outline, name types.NamespacedName, answer scheduler.Answer) {
	project := f.Decided.Project(name)
	queue := f.Decided.Queue(project)
	where := "of no project"
	if project != "" {
		where = "in project " + project
	}
	switch before := slices.Index(queue, name); {
	case before == 0:
		o.say("in the queue: the first of %d %s", len(queue), where)
	case before > 0:
		o.say("in the queue: %d of %d %s, behind %s", before+1, len(queue), where, some(f.named(queue[:before], name.Namespace), maxNames))
	}
	f.starts(o, name, answer)
}

// named as people in a namespace write it.
func (f *Facts) named(list []types.NamespacedName, here string) []string {
	var names []string
	for _, n := range list {
		if n.Namespace == here {
			names = append(names, n.Name)
		} else {
			names = append(names, n.String())
		}
	}
	return names
}

// runs: where, until when, and for whom it would give way.
func (f *Facts) runs(o *outline, g *slipwayv1.Gang, name types.NamespacedName, placed []slipwayv1.PodSetPlacement) {
	o.say("on %s", nodes(placed))
	if ends := f.Decided.Ends(name); ends.IsZero() {
		o.say("has no limit on how long it runs (slipway.dev/max-run-time)")
	} else {
		verb := "ends"
		if !ends.After(f.Now) {
			verb = "should have ended"
		}
		o.say("%s by %s, its limit is %s", verb, f.moment(ends), short(g.Spec.MaxRunTime.Duration))
	}
	if until := f.Decided.Protected(name); until.After(f.Now) {
		o.say("gives way to nobody before %s (slipway.dev/min-run-time)", f.moment(until))
	}
	f.onRecall(o, name)
	f.givesWay(o, f.Decided.Project(name), g.Spec.Priority, usesOf(g.Spec.PodSets))
}

// uses are the resources that something asks for.
type uses map[corev1.ResourceName]bool

func usesOf(sets []slipwayv1.PodSet) uses {
	u := uses{}
	for i := range sets {
		u.add(sets[i].Requests, sets[i].Devices)
	}
	return u
}

func (u uses) add(requests corev1.ResourceList, devices []slipwayv1.DeviceRequest) {
	for name, quantity := range requests {
		u[name] = u[name] || quantity.Sign() > 0
	}
	for _, d := range devices {
		u[corev1.ResourceName(resourcev1.ResourceDeviceClassPrefix+d.DeviceClass)] = true
	}
}

// givesWay says for whom what runs in a project, and uses this, would.
func (f *Facts) givesWay(o *outline, project string, priority int32, of uses) {
	if project == "" {
		o.say("would give way to gangs of no project with a priority above %d, and to projects that are guaranteed what it uses", priority)
		return
	}
	o.say("would give way to gangs of project %s with a priority above %d", project, priority)
	status, _ := f.Decided.ProjectStatus(project)
	for _, u := range status.Usage {
		if u.Borrowed != nil && of[u.Resource] {
			o.say("would give way to projects that are guaranteed %s: project %s borrows %s", resourceName(string(u.Resource), u.Kind), project, u.Borrowed)
		}
	}
}

// short is a duration without zeros at its end: 8h, 1h30m.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// nodes of a placement, with how many pods each has.
func nodes(placed []slipwayv1.PodSetPlacement) string {
	pods := map[string]int32{}
	var order []string
	for _, set := range placed {
		for _, slot := range set.Slots {
			if slot.Node == "" {
				continue // an elastic gang runs without these
			}
			if pods[slot.Node] == 0 {
				order = append(order, slot.Node)
			}
			pods[slot.Node] += slot.Count
		}
	}
	var all []string
	for _, node := range order {
		all = append(all, fmt.Sprintf("%s (%s)", node, placement.Count(int(pods[node]), "pod")))
	}
	return some(all, maxNames)
}

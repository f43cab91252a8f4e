// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/waiting"
	"slipway.dev/slipway/internal/cli/workload"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler"
)

// maxHolders of a node are told one by one.
const maxHolders = 20

// node explains a node: whom it takes, what it has free, who has it, and for whom it is kept.
func (f *Facts) node(o *outline) {
	n := &corev1.Node{}
	if err := f.Subject.decode(n); err != nil {
		o.say("cannot be read: %v", err)
		return
	}
	barriers := barriers(n)
	for _, text := range barriers {
		o.say("%s", text)
	}
	if len(barriers) == 0 {
		o.say("is well, and takes whoever fits")
	}
	if f.Decided == nil {
		return
	}
	use := f.Decided.NodeUse(n.Name)
	if free := free(n, use); len(free) > 0 {
		o.say("has free: %s", strings.Join(free, ", "))
	}
	heirs := f.holders(o, n.Name, use)
	f.kept(o, n.Name, use, heirs)
}

// barriers are what keeps pods from a node, as the scheduler sees it, and what ends that.
func barriers(n *corev1.Node) []string {
	var all []string
	ready, unhealthy := nodeCondition(n, corev1.NodeReady), nodeCondition(n, slipwayv1.NodeUnhealthy)
	silence, silent := workload.Silent(n)
	switch {
	case silent:
		all = append(all, "takes nobody: "+silence.Words(n.Name)+"; "+silence.Remedy(n.Name))
	case ready.Status == "":
		all = append(all, "takes nobody: its kubelet has not said yet that it is ready")
	case ready.Status != corev1.ConditionTrue:
		all = append(all, "takes nobody: it is not ready"+since(ready))
	}
	if unhealthy.Status == corev1.ConditionTrue {
		all = append(all, "takes nobody: it is marked as unhealthy"+since(unhealthy)+"; gangs on it get other places")
	}
	if n.Spec.Unschedulable {
		all = append(all, "takes nobody: it is cordoned; to let it take pods again: slipway kubectl uncordon "+n.Name)
	}
	well := len(all) == 0
	for _, t := range n.Spec.Taints {
		told := placement.Taint{Key: t.Key, Value: t.Value, Effect: string(t.Effect)}
		if t.Effect == corev1.TaintEffectPreferNoSchedule || !well && placement.OfNode(told) {
			continue // the latter says again what is said above
		}
		all = append(all, "takes only who tolerates its taint "+t.ToString())
	}
	return all
}

func nodeCondition(n *corev1.Node, of corev1.NodeConditionType) corev1.NodeCondition {
	for _, c := range n.Status.Conditions {
		if c.Type == of {
			return c
		}
	}
	return corev1.NodeCondition{}
}

// since when a condition is as it is, and why.
func since(c corev1.NodeCondition) string {
	text := ""
	if !c.LastTransitionTime.IsZero() {
		text = " since " + c.LastTransitionTime.UTC().Format(time.RFC3339)
	}
	if why := strings.Join(slices.DeleteFunc([]string{c.Reason, c.Message}, func(s string) bool { return s == "" }), ": "); why != "" {
		text += " (" + why + ")"
	}
	return text
}

// free of each resource that somebody may run out of, the devices first.
func free(n *corev1.Node, use scheduler.NodeUse) []string {
	room := maps.Clone(n.Status.Allocatable)
	if room == nil {
		room = corev1.ResourceList{}
	}
	maps.Copy(room, use.Devices)
	usual := []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourcePods}
	devices := slices.DeleteFunc(slices.Sorted(maps.Keys(room)), func(name corev1.ResourceName) bool {
		return !placement.IsDevice(string(name)) || placement.Beside(string(name))
	})
	var all []string
	for _, name := range slices.Concat(devices, usual) {
		of, has := room[name]
		if !has {
			continue
		}
		left := of.DeepCopy()
		if left.Sub(use.Taken[name]); left.Sign() < 0 {
			left.Set(0)
		}
		all = append(all, fmt.Sprintf("%s of %s %s", scheduler.Format(name, left), scheduler.Format(name, of), waiting.ResourceName(string(name))))
	}
	return all
}

// holder is a gang, or pods that have none, on a node.
type holder struct {
	name string
	size waiting.Size
	note string
}

// holders of a node; those of them that have places there for which others gave way it returns.
func (f *Facts) holders(o *outline, node string, use scheduler.NodeUse) (heirs []holder) {
	var holders []holder
	for _, name := range use.Gangs {
		if g := f.gangOf(name); g != nil {
			h := f.holding(g, node)
			if h.size.Pods > 0 && isMakingRoom(g.Status.Placed()) {
				heirs = append(heirs, h)
				continue
			}
			holders = append(holders, h)
		}
	}
	holders = append(holders, f.loose(node)...)
	if len(holders) == 0 {
		return heirs
	}
	o.say("there are:")
	o.below(func() {
		for _, h := range holders[:min(len(holders), maxHolders)] {
			o.say("%s: %s%s", h.name, h.size, h.note)
		}
		if more := len(holders) - maxHolders; more > 0 {
			o.say("and %d more", more)
		}
	})
	return heirs
}

func (f *Facts) gangOf(name types.NamespacedName) *slipwayv1.Gang {
	for _, g := range f.Cluster.Gangs {
		if client.ObjectKeyFromObject(g) == name {
			return g
		}
	}
	return nil
}

// holding is what a gang has of a node; of one that has no places there it is pods that end.
func (f *Facts) holding(g *slipwayv1.Gang, node string) holder {
	name := client.ObjectKeyFromObject(g)
	h := holder{name: name.String()}
	answer, _ := f.Decided.Answer(name)
	for _, placed := range answer.Status.Placement {
		for i := range g.Spec.PodSets {
			for _, slot := range placed.Slots {
				if set := &g.Spec.PodSets[i]; set.Name == placed.Name && slot.Node == node {
					h.size.Take(set, int64(slot.Count))
				}
			}
		}
	}
	if h.size.Pods == 0 {
		for _, p := range f.Cluster.Pods {
			if p.Spec.NodeName == node && p.Namespace == g.Namespace && p.Labels[slipwayv1.LabelGang] == g.Name {
				h.size.Add(p, f.Decided.Claimed(p))
			}
		}
		h.note = ", which are ending"
	} else {
		h.note = f.leaves(name)
	}
	return h
}

// loose pods on a node, which have no Gang: those of this scheduler by their groups, and those
// of others together.
func (f *Facts) loose(node string) []holder {
	found, others := map[string]*holder{}, holder{name: "pods that others place"}
	for _, p := range f.Cluster.Pods {
		if p.Spec.NodeName != node || p.Labels[slipwayv1.LabelGang] != "" {
			continue
		}
		name, is := f.Decided.Group(p)
		if !is {
			others.size.Add(p, f.Decided.Claimed(p))
			continue
		}
		h := found[name.String()]
		if h == nil {
			h = &holder{name: name.String()}
			found[h.name] = h
		}
		h.size.Add(p, f.Decided.Claimed(p))
	}
	var all []holder
	for _, h := range found {
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b holder) int { return cmp.Compare(a.name, b.name) })
	if others.size.Pods > 0 {
		all = append(all, others)
	}
	return all
}

// kept says for whom the node is: those to whom others gave way, and those that were promised
// places there.
func (f *Facts) kept(o *outline, node string, use scheduler.NodeUse, heirs []holder) {
	if len(heirs)+len(use.Kept) == 0 {
		return
	}
	o.say("is kept for:")
	o.below(func() {
		for _, h := range heirs {
			o.say("%s: %s, as soon as the pods that give way to it have ended", h.name, h.size)
		}
		if len(heirs) > 0 {
			f.ending(o, slices.DeleteFunc(endingPods(f.Cluster), func(p *corev1.Pod) bool { return p.Spec.NodeName != node }), "")
		}
		for _, k := range use.Kept[:min(len(use.Kept), maxHolders)] {
			o.say("%s: %s, from %s on", k.Name, amounts(k.Takes), f.moment(k.Start))
		}
		if more := len(use.Kept) - maxHolders; more > 0 {
			o.say("and %d more", more)
		}
		o.say("until then others start there only if they delay none of these")
	})
}

// amounts in words: so many pods, the devices, and then what every node has.
func amounts(list corev1.ResourceList) string {
	order := func(name corev1.ResourceName) int {
		switch {
		case name == corev1.ResourcePods:
			return 0
		case placement.IsDevice(string(name)):
			return 1
		}
		return 2
	}
	names := slices.SortedFunc(maps.Keys(list), func(a, b corev1.ResourceName) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a, b))
	})
	var all []string
	for _, name := range names {
		quantity := list[name]
		switch {
		case name == corev1.ResourcePods:
			all = append(all, placement.Count(int(quantity.Value()), "pod"))
		case !placement.Beside(string(name)):
			all = append(all, scheduler.Format(name, quantity)+" "+waiting.ResourceName(string(name)))
		}
	}
	return strings.Join(all, ", ")
}

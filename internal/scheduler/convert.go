// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/podset"
)

// gangOf says what a Gang asks of placement, or what about it cannot be followed.
func gangOf(g *slipwayv1.Gang) (placement.Gang, error) {
	out := placement.Gang{
		Key:      keyOf(g.Namespace, g.Name),
		Queue:    g.Spec.Project,
		User:     g.Spec.User,
		Priority: g.Spec.Priority,
		Kind:     runOf(g.Namespace, g.Name),
		Created:  g.CreationTimestamp.Unix(),
		Waits:    !g.Status.IsPlaced(),
		Loose:    isOfBatchJob(g),
	}
	out.Started, out.Stopped = turnOf(&g.Status)
	out.GaveWayTo, out.LentBy = g.Status.GaveWayTo, g.Status.LentBy
	if d := g.Spec.MaxRunTime; d != nil {
		out.Limit = int64(d.Duration / time.Second)
	}
	if at := g.Spec.LastCheckpoint; at != nil {
		out.Checkpointed = at.Unix()
	}
	if d := g.Spec.MinRunTime; d != nil {
		out.Protected = int64(min(d.Duration, podset.MaxProtected) / time.Second)
	}
	for i := range g.Spec.PodSets {
		set, err := setOf(g.Namespace, &g.Spec.PodSets[i])
		if err != nil {
			return out, fmt.Errorf("pod set %q: %w", g.Spec.PodSets[i].Name, err)
		}
		out.Sets = append(out.Sets, set)
	}
	out.Placement = placesOf(g.Status.Placement)
	if promise := g.Status.Promise; promise != nil && out.Waits {
		out.Promised, out.PromisedAt = promise.Number, promise.Time.Unix()
	}
	return out, nil
}

// isOfBatchJob says that the gang is a batch Job's, whose pods start together and then know
// nothing of one another.
func isOfBatchJob(g *slipwayv1.Gang) bool {
	owner := metav1.GetControllerOf(g)
	return owner != nil && owner.APIVersion == batchv1.SchemeGroupVersion.String() && owner.Kind == "Job"
}

// placesOf a Gang, as its status tells them.
func placesOf(status []slipwayv1.PodSetPlacement) []placement.SetPlacement {
	var places []placement.SetPlacement
	for _, placed := range status {
		set := placement.SetPlacement{Set: placed.Name}
		for _, slot := range placed.Slots {
			set.Slots = append(set.Slots, placement.Slot(slot))
		}
		places = append(places, set)
	}
	return places
}

// turnOf a gang: since when it is placed or, for one that waits, no longer, in seconds.
func turnOf(s *slipwayv1.GangStatus) (started, stopped int64) {
	c := s.Placed()
	switch {
	case c == nil:
		return 0, 0
	case c.Status == metav1.ConditionTrue:
		return c.LastTransitionTime.Unix(), 0
	}
	return 0, c.LastTransitionTime.Unix()
}

// leastCommon is how many letters names must have in common to be those of runs of one thing:
// x1 and x2 need have nothing to do with one another.
const leastCommon = 3

// runOf is what the runs of one thing have in common: their names but for parts with a
// digit, such as those that a counter, a date or a generator made. A name of which too
// little is left is that of a thing of its own.
func runOf(namespace, name string) string {
	parts := slices.DeleteFunc(strings.Split(name, "-"), func(part string) bool { return strings.ContainsAny(part, "0123456789") })
	own := parts
	if len(parts) > 0 && (parts[0] == "job" || parts[0] == "pytorchjob") {
		own = parts[1:] // The name of a gang of a job begins with the job's kind.
	}
	if len(strings.Join(own, "")) < leastCommon {
		return keyOf(namespace, name)
	}
	return keyOf(namespace, strings.Join(parts, "-"))
}

func keyOf(namespace, name string) string { return namespace + "/" + name }

func setOf(namespace string, s *slipwayv1.PodSet) (placement.PodSet, error) {
	set := placement.PodSet{Name: s.Name, Count: s.Count, Spread: s.Spread, Namespace: namespace, Labels: s.Labels, Shape: placement.Shape{
		Requests:    resourcesOf(s.Requests),
		Selector:    s.NodeSelector,
		Tolerations: tolerationsOf(s.Tolerations),
	}}
	if s.MinCount != nil {
		set.Optional = s.Count - *s.MinCount
	}
	for _, port := range s.HostPorts {
		set.Shape.HostPorts = append(set.Shape.HostPorts, hostPortOf(port.Port, port.Protocol, port.IP))
	}
	set.Shape.HostPorts = placement.Distinct(set.Shape.HostPorts)
	if t := s.Topology; t != nil {
		set.Topology = placement.Topology{Required: t.Required, Preferred: t.Preferred}
		if t.Slice != nil {
			set.Topology.SliceLabel, set.Topology.Slice = t.Slice.Label, t.Slice.Size
		}
	}
	if err := followPeers(namespace, s, &set.Shape); err != nil {
		return set, err
	}
	return set, follow(s.Affinity, &set.Shape)
}

// follow an affinity as far as nodes alone decide it.
func follow(affinity *corev1.Affinity, shape *placement.Shape) error {
	if affinity == nil || affinity.NodeAffinity == nil {
		return nil
	}
	if required := affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
		// A selector without terms matches no node, as one with an empty term does.
		shape.Affinity = []placement.Term{nil}
		for _, term := range required.NodeSelectorTerms {
			if err := spelled(term.MatchExpressions); err != nil {
				return fmt.Errorf("node affinity: %w", err)
			}
			shape.Affinity = append(shape.Affinity, termOf(&term))
		}
	}
	for _, p := range affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
		shape.Preferred = append(shape.Preferred, placement.Preference{Weight: p.Weight, Term: termOf(&p.Preference)})
	}
	return nil
}

// spelled says what could be no label of a node, so that the requirement would never
// be decided by one.
func spelled(requirements []corev1.NodeSelectorRequirement) error {
	for _, r := range requirements {
		if problems := validation.IsQualifiedName(r.Key); len(problems) > 0 {
			return fmt.Errorf("%q is no label key: %s", r.Key, problems[0])
		}
		for _, value := range r.Values {
			if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
				return fmt.Errorf("%q is no value of label %s: %s", value, r.Key, problems[0])
			}
		}
	}
	return nil
}

func termOf(t *corev1.NodeSelectorTerm) placement.Term {
	var term placement.Term
	for _, r := range t.MatchExpressions {
		term = append(term, placement.Requirement{Key: r.Key, Operator: placement.Operator(r.Operator), Values: r.Values})
	}
	for _, r := range t.MatchFields {
		term = append(term, placement.Requirement{Key: r.Key, Operator: placement.Operator(r.Operator), Values: r.Values, Field: true})
	}
	return term
}

func tolerationsOf(list []corev1.Toleration) []placement.Toleration {
	var out []placement.Toleration
	for _, t := range list {
		switch t.Operator {
		case corev1.TolerationOpExists, corev1.TolerationOpEqual, "":
			out = append(out, placement.Toleration{
				Key: t.Key, Value: t.Value, Effect: string(t.Effect), AnyValue: t.Operator == corev1.TolerationOpExists,
				Limited: t.TolerationSeconds != nil, Seconds: ptr.Deref(t.TolerationSeconds, 0),
			})
		}
	}
	return out
}

func hostPortOf(port int32, protocol corev1.Protocol, ip string) placement.HostPort {
	if protocol == "" {
		protocol = corev1.ProtocolTCP
	}
	return placement.HostPort{Port: port, Protocol: string(protocol), IP: ip}
}

// maxCores is far above what a machine has; beyond it thousandths might overflow.
const maxCores = 1 << 40

func resourcesOf(list corev1.ResourceList) placement.Resources {
	out := make(placement.Resources, len(list))
	for name, quantity := range list {
		out[string(name)] = amountOf(name, quantity)
	}
	return out
}

// amountOf a quantity, at most the largest number: what containers ask for together may be
// more, of which Quantity.Value would leave the lower bits.
func amountOf(name corev1.ResourceName, q resource.Quantity) int64 {
	switch {
	case name == corev1.ResourceCPU:
	case q.CmpInt64(math.MaxInt64) > 0:
		return math.MaxInt64
	default:
		return q.Value()
	}
	if q.CmpInt64(maxCores) > 0 {
		return maxCores * 1000
	}
	return q.MilliValue()
}

// nodeOf says what placement must know of a Node. What is on it is lost by taints
// alone, so that pods can say how long they put up with it. A kubelet that does
// not answer is one, added when it was last heard of: the node controller says so
// later, and not at all while most nodes are gone. One that answers that it is
// not well, as each does for a moment when it starts, is none before the node
// controller says so. One that somebody has found unhealthy, by a condition, is lost as
// by a taint of that name.
func nodeOf(n *corev1.Node) placement.Node {
	out := placement.Node{
		Name:        n.Name,
		Labels:      n.Labels,
		Cordoned:    n.Spec.Unschedulable,
		Ready:       true,
		Allocatable: resourcesOf(n.Status.Allocatable),
		Kind:        kindOf(n),
	}
	for _, t := range n.Spec.Taints {
		out.Taints = append(out.Taints, placement.Taint{
			Key: t.Key, Value: t.Value, Effect: string(t.Effect), Since: secondsOf(t.TimeAdded)})
		out.Ready = out.Ready && !unwell(t)
	}
	for _, c := range n.Status.Conditions {
		if c.Type == slipwayv1.NodeUnhealthy && c.Status == corev1.ConditionTrue {
			out.Taints = append(out.Taints, placement.Taint{
				Key: slipwayv1.NodeUnhealthy, Value: c.Reason, Effect: placement.NoExecute, Since: secondsOf(&c.LastTransitionTime)})
		}
	}
	ready := readiness(n)
	if out.Ready && ready.Status != corev1.ConditionTrue && ready.Status != corev1.ConditionFalse {
		out.Taints = append(out.Taints, placement.Taint{
			Key: corev1.TaintNodeUnreachable, Effect: placement.NoExecute, Since: secondsOf(&ready.LastTransitionTime)})
	}
	out.Ready = out.Ready && ready.Status == corev1.ConditionTrue
	return out
}

// unwell is the node controller's word that the kubelet does not answer, or that
// it is not well.
func unwell(t corev1.Taint) bool {
	return t.Effect == corev1.TaintEffectNoExecute && (t.Key == corev1.TaintNodeUnreachable || t.Key == corev1.TaintNodeNotReady)
}

// readiness is the condition Ready, without a status where there is none.
func readiness(n *corev1.Node) corev1.NodeCondition {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c
		}
	}
	return corev1.NodeCondition{}
}

// secondsOf a moment as placement counts them; zero when there is none.
func secondsOf(t *metav1.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

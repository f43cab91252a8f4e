// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

func (p *pass) gangName() string { return podset.GangName(p.in.Framework.Kind, p.name()) }

// syncGang plans the gang as the job now wants it and says whether that changes
// what the scheduler was asked.
func (p *pass) syncGang() bool {
	if p.in.Gang == nil {
		p.out.Gang = p.newGang()
		return true
	}
	if p.in.Gang.DeletionTimestamp != nil {
		return true
	}
	next := p.in.Gang.DeepCopy()
	next.Spec = p.reshape(next.Spec)
	if restarts := p.ledger.String(); restarts != "" {
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, annotationRestarts, restarts)
	}
	reshaped := !equality.Semantic.DeepEqual(next.Spec, p.in.Gang.Spec)
	if reshaped || !maps.Equal(next.Annotations, p.in.Gang.Annotations) {
		p.out.Gang = next
	}
	return reshaped
}

func (p *pass) newGang() *slipwayv1.Gang {
	job := p.in.Job.Object()
	return &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{
			Name: p.gangName(), Namespace: job.GetNamespace(),
			Labels:          jobLabels(p.in),
			OwnerReferences: []metav1.OwnerReference{ownerOf(p.in)},
		},
		Spec: p.gangSpec(),
	}
}

// reshape follows the job in everything while nothing of it runs. Afterwards
// the shape of a pod is what the running pods have, and only how many there are
// and how the gang is ranked may change.
func (p *pass) reshape(old slipwayv1.GangSpec) slipwayv1.GangSpec {
	next := p.gangSpec()
	if p.in.Priority == nil {
		next.Priority = old.Priority
	}
	if !p.started() {
		return next
	}
	for i := range next.PodSets {
		set := &next.PodSets[i]
		j := slices.IndexFunc(old.PodSets, func(s slipwayv1.PodSet) bool { return s.Name == set.Name })
		if j < 0 {
			continue
		}
		count, least := set.Count, set.MinCount
		*set = *old.PodSets[j].DeepCopy()
		set.Count, set.MinCount = count, least
	}
	return next
}

// isPlaced says that the scheduler has given the gang its nodes.
func isPlaced(gang *slipwayv1.Gang) bool {
	return gang != nil && gang.DeletionTimestamp == nil && gang.Status.IsPlaced()
}

// hasPlaces says that the gang is placed, or waits for some of its places alone: a node of it is lost.
func hasPlaces(gang *slipwayv1.Gang) bool {
	return isPlaced(gang) || gang != nil && len(gang.Status.Placement) > 0
}

// coversMinimum says that the scheduler has seen the gang as it now is, and that
// the placement holds enough of every pod set to start.
func coversMinimum(gang *slipwayv1.Gang) bool {
	if gang.Status.ObservedGeneration < gang.Generation {
		return false
	}
	for _, set := range gang.Spec.PodSets {
		least := set.Count
		if set.MinCount != nil {
			least = *set.MinCount
		}
		if placementOf(gang, set.Name).Pods() < least {
			return false
		}
	}
	return true
}

// placementOf a pod set; empty when there is none.
func placementOf(gang *slipwayv1.Gang, set string) *slipwayv1.PodSetPlacement {
	if gang != nil {
		for i := range gang.Status.Placement {
			if gang.Status.Placement[i].Name == set {
				return &gang.Status.Placement[i]
			}
		}
	}
	return &slipwayv1.PodSetPlacement{}
}

// explain keeps the job's reason for waiting up to date.
func (p *pass) explain() {
	if p.in.Blocked.any() {
		if p.in.Unwatched {
			p.wake(blockedDelay)
		}
		p.say(blockedEvent(p.in.Blocked.reasons()))
		return
	}
	if !isPlaced(p.in.Gang) {
		p.say(verdictOf(p.in.Gang))
		return
	}
	if p.in.Gang.Status.ObservedGeneration < p.in.Gang.Generation {
		return // The scheduler's words are about the gang as it was.
	}
	missing := 0
	for _, r := range p.ranks {
		if r.node == "" && r.state != done {
			missing++
		}
	}
	if missing > 0 {
		p.say(partlyPlacedEvent(missing, len(p.ranks), p.in.Gang.Status.Placed()))
		return
	}
	p.say(event{})
}

// verdictOf the scheduler on a gang that is not placed, in its own words.
func verdictOf(gang *slipwayv1.Gang) event {
	if gang == nil {
		return event{}
	}
	if c := gang.Status.Placed(); c != nil && c.Status != metav1.ConditionTrue {
		return waitingEvent(c.Reason, c.Message)
	}
	return event{}
}

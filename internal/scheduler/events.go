// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/clip"
	"slipway.dev/slipway/internal/placement"
)

// projectEventOf a status that was written. It is news that a project cannot be used, or can
// again; that a new one can is none.
func projectEventOf(old, new *slipwayv1.ProjectStatus) (statusEvent, bool) {
	was, is := meta.FindStatusCondition(old.Conditions, slipwayv1.ConditionReady), meta.FindStatusCondition(new.Conditions, slipwayv1.ConditionReady)
	switch {
	case is.Status == metav1.ConditionFalse && (was == nil || was.Status != is.Status || was.Message != is.Message):
		return statusEvent{corev1.EventTypeWarning, is.Reason, "Follow", clip.Note(is.Message)}, true
	case is.Status == metav1.ConditionTrue && was != nil && was.Status != is.Status:
		return statusEvent{corev1.EventTypeNormal, is.Reason, "Follow", clip.Note(is.Message)}, true
	}
	return statusEvent{}, false
}

// statusEvent is one line for the person who asks what happened to a gang or a project.
type statusEvent struct {
	Type, Reason, Action, Note string
}

// eventOf a status that was written. It is news when the reason of the condition
// Placed changed, or the places did; a new wording is none. Nor is a gang placed by
// the first answer to it: nobody was told to wait, and the condition says as much.
func eventOf(d *draft) (statusEvent, bool) {
	c := d.new.Placed()
	if c.Reason == reasonPlaced && placedReason(d.old) == "" {
		return statusEvent{}, false
	}
	moved := c.Status == metav1.ConditionTrue && !equality.Semantic.DeepEqual(d.old.Placement, d.new.Placement)
	if c.Reason == placedReason(d.old) && !moved {
		return statusEvent{}, false
	}
	e := statusEvent{corev1.EventTypeNormal, c.Reason, "Place", clip.Note(c.Message)}
	if meta.IsStatusConditionTrue(d.new.Conditions, slipwayv1.ConditionStalled) || c.Reason == string(placement.NodeLost) {
		e.Type = corev1.EventTypeWarning
	}
	return e, true
}

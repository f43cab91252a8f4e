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

// gangEvent is one line for the person who asks what happened to a gang.
type gangEvent struct {
	Type, Reason, Action, Note string
}

// eventOf a status that was written. It is news when the reason of the condition
// Placed changed, or the places did; a new wording is none. Nor is a gang placed by
// the first answer to it: nobody was told to wait, and the condition says as much.
func eventOf(d *draft) (gangEvent, bool) {
	c := d.new.Placed()
	if c.Reason == reasonPlaced && placedReason(d.old) == "" {
		return gangEvent{}, false
	}
	moved := c.Status == metav1.ConditionTrue && !equality.Semantic.DeepEqual(d.old.Placement, d.new.Placement)
	if c.Reason == placedReason(d.old) && !moved {
		return gangEvent{}, false
	}
	e := gangEvent{corev1.EventTypeNormal, c.Reason, "Place", clip.Note(c.Message)}
	if meta.IsStatusConditionTrue(d.new.Conditions, slipwayv1.ConditionStalled) || c.Reason == string(placement.NodeLost) {
		e.Type = corev1.EventTypeWarning
	}
	return e, true
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// modelState repeats the conditions: their messages speak of the pods already.
func modelState(w Workload) State {
	model := w.Object.(*slipwayv1.Model)
	state := State{Running: model.Status.ReadyReplicas, Total: ptr.Deref(model.Spec.Replicas, 1)}
	ready := meta.FindStatusCondition(model.Status.Conditions, slipwayv1.ConditionReady)
	stalled := meta.FindStatusCondition(model.Status.Conditions, slipwayv1.ConditionStalled)
	why, waits := w.unplaced()
	switch {
	case ready == nil:
		state.Status, state.Reason = StatusPending, unseen
	case model.Status.ObservedGeneration < model.Generation:
		state.Status, state.Reason = StatusStarting, "the controller has not seen the change yet"
	case stalled != nil && stalled.Status == metav1.ConditionTrue:
		state.Status, state.Stalled = slipwayv1.ConditionStalled, true
		state.Reason = cmp.Or(stalled.Message, stalled.Reason)
	case state.Total == 0:
		state.Status, state.Reason = StatusStopped, "spec.replicas is 0"
	case ready.Status == metav1.ConditionTrue:
		state.Status = StatusReady
	case waits:
		state.Status, state.Reason = StatusWaiting, why
	default:
		state.Status = StatusStarting
		state.Reason = cmp.Or(ready.Message, ready.Reason)
	}
	return state
}

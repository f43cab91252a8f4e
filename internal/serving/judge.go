// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Reasons of the condition Ready while nothing is wrong. Those of faults are in
// faults.go.
const (
	reasonServing  = "Serving"
	reasonStopped  = "Stopped"
	reasonStarting = "Starting"
)

// judge is the status that follows from what was observed.
func judge(in *observed, url string) slipwayv1.ModelStatus {
	status := *in.Model.Status.DeepCopy()
	status.ObservedGeneration = in.Model.Generation
	status.Replicas = in.Deployment.Status.Replicas
	status.ReadyReplicas = in.Deployment.Status.ReadyReplicas
	status.Selector = labels.SelectorFromSet(labelsOf(in.Model)).String()
	status.URL = url
	set := conditions{&status.Conditions, in.Model.Generation}
	if in.Refused == nil && settled(&in.Deployment, replicasOf(in.Model)) {
		set.ready(in.Model)
		return status
	}
	f := worst(in)
	f.Message = fmt.Sprintf("%d of %s; %s", status.ReadyReplicas, answer(replicasOf(in.Model)), f.Message)
	set.unready(f)
	return status
}

// settled says that the Deployment's controller has seen the spec and has
// carried it out: all replicas are of the last revision and answer.
func settled(d *appsv1.Deployment, want int32) bool {
	return d.Status.ObservedGeneration >= d.Generation &&
		d.Status.Replicas == want && d.Status.UpdatedReplicas == want && d.Status.ReadyReplicas == want
}

func answer(replicas int32) string {
	if replicas == 1 {
		return "1 replica answers"
	}
	return fmt.Sprintf("%d replicas answer", replicas)
}

// conditions keeps to kstatus: Ready always, Reconciling or Stalled only while
// they are true.
type conditions struct {
	list       *[]metav1.Condition
	generation int64
}

func (c conditions) ready(model *slipwayv1.Model) {
	meta.RemoveStatusCondition(c.list, slipwayv1.ConditionReconciling)
	meta.RemoveStatusCondition(c.list, slipwayv1.ConditionStalled)
	replicas := replicasOf(model)
	if replicas == 0 {
		c.set(slipwayv1.ConditionReady, metav1.ConditionTrue, reasonStopped,
			"the model is stopped: spec.replicas is 0; set it to 1 or more to serve")
		return
	}
	c.set(slipwayv1.ConditionReady, metav1.ConditionTrue, reasonServing, answer(replicas))
}

func (c conditions) unready(f fault) {
	is, isNot := slipwayv1.ConditionReconciling, slipwayv1.ConditionStalled
	if f.Person {
		is, isNot = isNot, is
	}
	meta.RemoveStatusCondition(c.list, isNot)
	c.set(is, metav1.ConditionTrue, f.Reason, f.Message)
	c.set(slipwayv1.ConditionReady, metav1.ConditionFalse, f.Reason, f.Message)
}

func (c conditions) set(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(c.list, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: c.generation,
	})
}

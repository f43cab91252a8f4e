// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// A pod that claims devices is bound by Kubernetes' scheduler, for two that allocate would hand
// out the same device. So it is held back by a gate (api/admission/pods.yaml) until this one has
// a place for it, and then held to the node of that, where the other one has no choice.

// unheld is the problem of a pod that claims devices and names this scheduler.
func unheld(p *corev1.Pod) string {
	if len(p.Spec.ResourceClaims) > 0 && !isHeld(p) {
		return notHeld
	}
	return ""
}

const notHeld = "spec.resourceClaims: devices are allocated by Kubernetes' scheduler, and the admission policy slipway-held-pods, which hands such pods " +
	"over to it, was not there when the pod was made; apply it and delete the pod"

// isHeld says that a pod was held back, be it that it still is.
func isHeld(p *corev1.Pod) bool {
	return p.Labels[slipwayv1.LabelHeld] == "true" && p.Spec.SchedulerName == corev1.DefaultSchedulerName
}

// chosenFor says that this scheduler chooses the pod's node, or did: one that it binds, or holds
// to a node. Nothing is done about a pod that others hold back as well.
func chosenFor(p *corev1.Pod) bool {
	switch gates := p.Spec.SchedulingGates; {
	case !isHeld(p):
		return p.Spec.SchedulerName == slipwayv1.SchedulerName && len(gates) == 0
	case len(gates) == 0:
		return podset.PinnedTo(p.Spec.Affinity) != ""
	default:
		return len(gates) == 1 && gates[0].Name == slipwayv1.GateHeld
	}
}

// settled is a pod as it will be bound, once it is held to a node.
func settled(p *corev1.Pod) *corev1.Pod {
	if p.Spec.NodeName != "" || !isHeld(p) || len(p.Spec.SchedulingGates) > 0 {
		return p
	}
	node := podset.PinnedTo(p.Spec.Affinity)
	if node == "" {
		return p
	}
	next := *p
	next.Spec.NodeName = node
	return &next
}

// letGo says that somebody else opened the gate of a pod that was held back.
func letGo(p *corev1.Pod) bool { return isHeld(p) && !chosenFor(p) && len(p.Spec.SchedulingGates) == 0 }

// hold a pod to its node, and back no longer.
func (b binder) hold(ctx context.Context, e errand) error {
	pod := &corev1.Pod{}
	if err := b.client.Get(ctx, e.name, pod); err != nil {
		return fmt.Errorf("reading pod %s: %w", e.name, err)
	}
	if pod.UID == e.uid && len(pod.Spec.SchedulingGates) == 0 {
		if podset.PinnedTo(pod.Spec.Affinity) == e.bind {
			return nil // What failed was the answer alone.
		}
		return apierrors.NewConflict(corev1.Resource("pods"), e.name.Name, errors.New("somebody else opened its gate"))
	}
	metadata := map[string]any{"uid": e.uid}
	if annotations := e.annotations(); annotations != nil { // None would take the pod's own away.
		metadata["annotations"] = annotations
	}
	body, err := json.Marshal(map[string]any{
		"metadata": metadata,
		"spec":     map[string]any{"affinity": podset.Pinned(pod.Spec.Affinity, e.bind), "schedulingGates": nil},
	})
	if err != nil {
		return fmt.Errorf("encoding the node of pod %s: %w", e.name, err)
	}
	if err := b.client.Patch(ctx, pod, client.RawPatch(types.MergePatchType, body)); err != nil {
		return fmt.Errorf("holding pod %s to node %s: %w", e.name, e.bind, err)
	}
	return nil
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/clip"
	"slipway.dev/slipway/internal/namespace"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// binder does what is to be done about a pod that this scheduler binds: it binds the
// pod, or says in the pod's condition why it waits, or deletes it.
type binder struct{ *scheduler }

// Reconcile runs one errand. A conflict means that the pod is another's, or on its way
// out, as all pods of a namespace that is being deleted; feed hears of that.
func (b binder) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	b.mu.Lock()
	e, is := b.ledger.errand(request.NamespacedName)
	b.mu.Unlock()
	if !is {
		return ctrl.Result{}, nil
	}
	err := b.run(ctx, e)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) || namespace.Refuses(err) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, err
}

func (b binder) run(ctx context.Context, e errand) error {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: e.name.Namespace, Name: e.name.Name, UID: e.uid}}
	switch {
	case e.delete != "":
		return b.preempt(ctx, pod, e)
	case e.bind != "":
		if err := b.bind(ctx, pod, e); err != nil {
			b.mu.Lock()
			b.ledger.notBound(e.uid, err)
			b.mu.Unlock()
			return err
		}
		return b.tellGroup(ctx, e)
	case e.announce:
		return b.tellGroup(ctx, e)
	case e.advice != "":
		b.events.Eventf(pod, nil, corev1.EventTypeWarning, reasonFailedScheduling, "Schedule", "%s", clip.Note(e.advice))
		return nil
	default:
		for _, claim := range e.assign {
			if err := b.assign(ctx, claim, e.node); err != nil {
				return err
			}
		}
		return errors.Join(b.tell(ctx, e), b.tellGroup(ctx, e))
	}
}

func (b binder) bind(ctx context.Context, pod *corev1.Pod, e errand) error {
	if e.held {
		return b.hold(ctx, e)
	}
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.name.Namespace, Name: e.name.Name, UID: e.uid, Annotations: e.annotations()},
		Target:     corev1.ObjectReference{Kind: "Node", Name: e.bind},
	}
	if err := b.client.SubResource("binding").Create(ctx, pod, binding); err != nil {
		return fmt.Errorf("binding pod %s to node %s: %w", e.name, e.bind, err)
	}
	return nil
}

// assign a claim to a node, for which its volume is then made.
func (b binder) assign(ctx context.Context, name types.NamespacedName, node string) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{snapshot.AnnotationSelectedNode: node}}})
	if err != nil {
		return fmt.Errorf("encoding the node of claim %s: %w", name, err)
	}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	if err := b.client.Patch(ctx, claim, client.RawPatch(types.MergePatchType, body)); err != nil {
		return fmt.Errorf("choosing node %s for claim %s: %w", node, name, err)
	}
	return nil
}

// tell why the pod waits, in the words and at the place that Kubernetes' own scheduler
// has for it.
func (b binder) tell(ctx context.Context, e errand) error {
	pod := &corev1.Pod{}
	if err := b.client.Get(ctx, e.name, pod); err != nil {
		return fmt.Errorf("reading pod %s: %w", e.name, err)
	}
	next := corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
		Message: clip.Text(e.wait, maxMessage), LastTransitionTime: metav1.Now(),
	}
	for _, c := range pod.Status.Conditions {
		if c.Type != corev1.PodScheduled {
			continue
		}
		if c.Status == next.Status && c.Reason == next.Reason && c.Message == next.Message {
			return nil
		}
		if c.Status == next.Status {
			next.LastTransitionTime = c.LastTransitionTime
		}
	}
	if err := b.setCondition(ctx, e, next); err != nil {
		return err
	}
	b.noteWait(pod, e)
	return nil
}

// setCondition of the very pod that the errand is about, and say to whom it gives way if it
// does.
func (b binder) setCondition(ctx context.Context, e errand, next corev1.PodCondition) error {
	metadata := map[string]any{"uid": e.uid}
	if e.heir != "" {
		metadata["annotations"] = map[string]string{slipwayv1.AnnotationGaveWayTo: e.heir}
	}
	body, err := json.Marshal(map[string]any{
		"metadata": metadata,
		"status":   map[string]any{"conditions": []corev1.PodCondition{next}},
	})
	if err != nil {
		return fmt.Errorf("encoding the condition of pod %s: %w", e.name, err)
	}
	// Conditions are merged by their type.
	patched := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: e.name.Namespace, Name: e.name.Name}}
	if err := b.client.Status().Patch(ctx, patched, client.RawPatch(types.StrategicMergePatchType, body)); err != nil {
		return fmt.Errorf("patching the condition of pod %s: %w", e.name, err)
	}
	return nil
}

// tellGroup whether the pod's group, of Kubernetes' own kind, was placed, or why not. Once
// it was that is never taken back. What fails here after a binding is an errand of its own
// next time.
func (b binder) tellGroup(ctx context.Context, e errand) error {
	if e.podGroup == "" {
		return nil
	}
	key := client.ObjectKey{Namespace: e.name.Namespace, Name: e.podGroup}
	group := &schedulingv1beta1.PodGroup{}
	if err := b.client.Get(ctx, key, group); err != nil {
		return client.IgnoreNotFound(err)
	}
	next := metav1.Condition{Type: schedulingv1beta1.PodGroupInitiallyScheduled, Status: metav1.ConditionTrue,
		Reason: reasonPlaced, Message: "its pods have a node", ObservedGeneration: group.Generation}
	if e.wait != "" {
		next.Status, next.Reason, next.Message = metav1.ConditionFalse, schedulingv1beta1.PodGroupReasonUnschedulable, clip.Text(e.wait, maxMessage)
	}
	old := group.DeepCopy()
	if meta.IsStatusConditionTrue(old.Status.Conditions, next.Type) || !meta.SetStatusCondition(&group.Status.Conditions, next) {
		return nil
	}
	if err := b.client.Status().Patch(ctx, group, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("patching the condition of pod group %s: %w", e.podGroup, err)
	}
	if next.Status == metav1.ConditionTrue {
		b.mu.Lock()
		b.ledger.toldPlaced(key)
		b.mu.Unlock()
	}
	return nil
}

// release hands the binder the pods about which there may be something to do.
func (s *scheduler) release() {
	s.mu.Lock()
	ripe := s.ledger.takeRipe()
	s.mu.Unlock()
	for _, name := range ripe {
		s.binds.Add(ctrl.Request{NamespacedName: name})
	}
}

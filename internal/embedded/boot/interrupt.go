// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes"
)

// interruptedReason is what a kubelet, too, gives for pods that end with their node.
const (
	interruptedReason  = "Terminated"
	interruptedMessage = "The cluster was stopped while the pod ran."
)

// interrupt tells the API server which of a node's running pods are interrupted,
// as a kubelet does whose node is shut down. It returns those that were not told
// of and must not be judged by how their containers end; all of them when the API
// server does not answer.
func (s *Supervisor) interrupt(ctx context.Context, node string, running sets.Set[types.UID]) (sets.Set[types.UID], error) {
	if len(running) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, podGrace)
	defer cancel()
	client, err := s.client()
	if err != nil {
		return running, err
	}
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx,
		metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node).String()})
	if err != nil {
		return running, fmt.Errorf("asking for the pods of node %s: %w", node, err)
	}
	untold := sets.New[types.UID]()
	var errs []error
	for _, pod := range pods.Items {
		if !running.Has(pod.UID) {
			continue
		}
		switch fateOf(&pod) {
		case continues:
		case beginsAgain:
			untold.Insert(pod.UID)
		case isReplaced:
			if err := markInterrupted(ctx, client, &pod); err != nil {
				untold.Insert(pod.UID)
				errs = append(errs, err)
			}
		}
	}
	return untold, errors.Join(errs...)
}

// fate is what becomes of a running pod when the cluster comes back.
type fate int

const (
	// continues: the kubelet starts its containers again, however they ended.
	continues fate = iota
	// beginsAgain: the kubelet starts them again once it does not know how they
	// ended. Nobody else would: the pod has no owner.
	beginsAgain
	// isReplaced: the pod has failed, not by its own fault, and its owner makes
	// another; a pod that is to run once and has no owner has just failed.
	isReplaced
)

func fateOf(pod *corev1.Pod) fate {
	owned := metav1.GetControllerOf(pod) != nil
	switch {
	case pod.Spec.RestartPolicy == corev1.RestartPolicyAlways:
		return continues
	case pod.Spec.RestartPolicy == corev1.RestartPolicyOnFailure && !owned:
		return beginsAgain
	}
	return isReplaced
}

// markInterrupted writes what a kubelet writes whose node is shut down. From then on the pod
// has failed, for good: a kubelet that finds it so only adds how its containers ended.
func markInterrupted(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": pod.UID}, // of no other pod of this name
		"status": corev1.PodStatus{
			Phase: corev1.PodFailed, Reason: interruptedReason, Message: interruptedMessage,
			Conditions: []corev1.PodCondition{{
				Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(),
				Reason: corev1.PodReasonTerminationByKubelet, Message: interruptedMessage,
			}},
		},
	})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("telling that pod %s/%s is interrupted: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}

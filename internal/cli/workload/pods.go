// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Complaint is why a pod does not run as it should, or "".
func Complaint(pod *corev1.Pod) string {
	if pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" {
		return joined(pod.Status.Reason, pod.Status.Message)
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return joined(c.Reason, c.Message)
		}
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if words := containerComplaint(status); words != "" {
			return words
		}
	}
	return ""
}

// Unscheduled is why a pod that has no node has none.
func Unscheduled(pod *corev1.Pod) string {
	return cmp.Or(strings.TrimPrefix(Complaint(pod), corev1.PodReasonUnschedulable+": "), "the scheduler has not decided yet")
}

func containerComplaint(status corev1.ContainerStatus) string {
	waiting, ended := status.State.Waiting, status.State.Terminated
	switch {
	case waiting != nil && !slices.Contains([]string{"", "ContainerCreating", "PodInitializing"}, waiting.Reason):
		if last := status.LastTerminationState.Terminated; last != nil && last.ExitCode != 0 {
			return fmt.Sprintf("exited with code %d, %d restarts, %s", last.ExitCode, status.RestartCount, waiting.Reason)
		}
		return joined(waiting.Reason, waiting.Message)
	case ended != nil && ended.ExitCode != 0:
		if ended.Reason == "OOMKilled" {
			return "was killed for using more memory than its limit (OOMKilled); raise --memory"
		}
		return joined(fmt.Sprintf("exited with code %d", ended.ExitCode), ended.Message)
	}
	return ""
}

func joined(reason, message string) string {
	if message == "" || message == reason {
		return reason
	}
	if reason == "" {
		return message
	}
	return reason + ": " + message
}

// complaints is the first pod's that has one, with how many others have.
func (w Workload) complaints() string {
	first, others := "", 0
	for i := range w.Pods {
		words := Complaint(&w.Pods[i])
		switch {
		case words == "":
		case first == "":
			first = w.Pods[i].Name + " " + words
		default:
			others++
		}
	}
	if others > 0 {
		first += " (and " + more(others) + ")"
	}
	return first
}

// more pods than one, in words.
func more(n int) string {
	if n == 1 {
		return "1 more pod"
	}
	return fmt.Sprintf("%d more pods", n)
}

func (w Workload) running() int32 {
	var n int32
	for i := range w.Pods {
		if w.Pods[i].Status.Phase == corev1.PodRunning && w.Pods[i].DeletionTimestamp == nil {
			n++
		}
	}
	return n
}

// MainContainer is the container of a pod whose log matters.
func (k Kind) MainContainer(pod *corev1.Pod) string {
	named := func(name string) bool {
		return name != "" && slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == name })
	}
	for _, name := range []string{pod.Annotations["kubectl.kubernetes.io/default-container"], k.Container} {
		if named(name) {
			return name
		}
	}
	if len(pod.Spec.Containers) == 0 {
		return ""
	}
	return pod.Spec.Containers[0].Name
}

// starting is the reason of pods that are placed and do not all run yet.
func (w Workload) starting() string {
	return cmp.Or(w.complaints(), "waiting for containers to start")
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"fmt"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// unknownExitCode stands for a container that left none, such as in a pod that
// was evicted before it started. It counts as killed, hence as retryable.
const unknownExitCode = 255

// firstSignalExitCode and above mean that a signal killed the process.
const firstSignalExitCode = 128

// stateOf classifies the pod of a rank.
func stateOf(pod *corev1.Pod, policy kubeflowv1.RestartPolicy, container string) state {
	switch {
	case pod == nil:
		return absent
	case pod.Status.Phase == corev1.PodSucceeded && !askedToEnd(pod):
		return done
	case pod.DeletionTimestamp != nil:
		return leaving
	case pod.Status.Phase != corev1.PodFailed:
		return alive
	case machinesFault(pod):
		return refused
	}
	switch policy {
	case kubeflowv1.RestartPolicyNever:
		return fatal
	case kubeflowv1.RestartPolicyExitCode:
		if code, _ := exitCode(pod, container); code < firstSignalExitCode {
			return fatal
		}
	}
	return retry
}

// askedToEnd says that the pod ended because it was being deleted. A program that
// saves its work then, and exits with 0, has not done all of it. Moments are kept in
// seconds; within one it counts as asked: work that is done twice is not lost.
func askedToEnd(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp == nil {
		return false
	}
	grace := ptr.Deref(pod.DeletionGracePeriodSeconds, 0)
	if grace == 0 {
		// The kubelet deletes it for good when it has ended. By then it no longer says when it was
		// asked to, which was at most its own grace period before.
		grace = ptr.Deref(pod.Spec.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)
	}
	return !endedAt(pod).Before(pod.DeletionTimestamp.Add(-time.Duration(grace) * time.Second))
}

// machinesFault says that a failed pod is no failure of the job: the kubelet
// did not admit it, or something took it or its node away. An eviction for
// using more than there is (reason Evicted) is the job's own.
func machinesFault(pod *corev1.Pod) bool {
	switch pod.Status.Reason {
	case "Evicted", "DeadlineExceeded":
		return false
	case "NodeLost", "NodeShutdown", "Terminated", "Shutdown", "Preempting":
		return true
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return notAdmitted(pod)
}

// notAdmitted recognises a rejection by the kubelet without a list of its many
// reasons: it gives one, and no container was ever looked at.
func notAdmitted(pod *corev1.Pod) bool {
	return pod.Status.Reason != "" &&
		len(pod.Status.ContainerStatuses) == 0 && len(pod.Status.InitContainerStatuses) == 0
}

// exitCode is that of the named container, and whether there is one.
func exitCode(pod *corev1.Pod, container string) (int32, bool) {
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == container && status.State.Terminated != nil {
			return status.State.Terminated.ExitCode, true
		}
	}
	return unknownExitCode, false
}

// cause says in a few words what happened to the pod.
func cause(pod *corev1.Pod, container string) string {
	switch {
	case pod.DeletionTimestamp != nil:
		return "was deleted"
	case notAdmitted(pod):
		return fmt.Sprintf("was refused by node %s (%s: %s)", nodeOf(pod), pod.Status.Reason, pod.Status.Message)
	case pod.Status.Reason != "":
		return fmt.Sprintf("failed (%s: %s)", pod.Status.Reason, pod.Status.Message)
	}
	for _, status := range pod.Status.ContainerStatuses {
		if t := status.State.Terminated; status.Name == container && t != nil {
			if t.Reason == "" || t.Reason == "Error" {
				return fmt.Sprintf("exited with code %d", t.ExitCode)
			}
			return fmt.Sprintf("exited with code %d (%s)", t.ExitCode, t.Reason)
		}
	}
	return "failed"
}

// endedAt is when the last container ended, well or not, or, where none ran, when the pod
// was made.
func endedAt(pod *corev1.Pod) time.Time {
	at := pod.CreationTimestamp.Time
	for _, status := range pod.Status.ContainerStatuses {
		if t := status.State.Terminated; t != nil && t.FinishedAt.After(at) {
			at = t.FinishedAt.Time
		}
	}
	return at
}

// containerRestarts sums what the kubelet did in place.
func containerRestarts(pod *corev1.Pod) int32 {
	var n int32
	for _, status := range pod.Status.InitContainerStatuses {
		n += status.RestartCount
	}
	for _, status := range pod.Status.ContainerStatuses {
		n += status.RestartCount
	}
	return n
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"fmt"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// event is one line for the person who asks what happened to the job.
type event struct {
	Type, Reason, Action, Note string
}

func normal(reason, action, note string) event {
	return event{corev1.EventTypeNormal, reason, action, note}
}

func warning(reason, action, note string) event {
	return event{corev1.EventTypeWarning, reason, action, note}
}

func waitingEvent(reason, why string) event { return normal(reason, "Wait", why) }

// partlyPlacedEvent is for a gang that is placed and has grown since.
func partlyPlacedEvent(missing, total int, placed *metav1.Condition) event {
	return normal(placed.Reason, "Wait", fmt.Sprintf("%d of %d pods have no place yet: %s", missing, total, placed.Message))
}

func blockedEvent(why []string) event { return warning("Blocked", "Wait", strings.Join(why, "; ")) }

func ignoredEvent(problems []string) event {
	return warning("InvalidSpec", "Ignore", "the changed spec is not followed: "+strings.Join(problems, "; "))
}

// ignoredTermsEvent is about annotations that do less than they say.
func ignoredTermsEvent(what string) event { return warning("InvalidAnnotation", "Ignore", what) }

func notFollowedEvent(what string) event { return warning("NotFollowed", "Create", what) }

func suspendedEvent(reason, message string) event { return normal(reason, "Suspend", message) }

func resumedEvent(reason, message string) event { return normal(reason, "Resume", message) }

func finishedEvent(end kubeflowv1.JobConditionType, reason, message string) event {
	if end == kubeflowv1.JobFailed {
		return warning(reason, "Finish", message)
	}
	return normal(reason, "Finish", message)
}

func restartingEvent(reason, message string) event { return warning(reason, "Restart", message) }

func exitedEvent(pod *corev1.Pod, code int32) event {
	return normal("ExitedWithCode", "Watch",
		fmt.Sprintf("Pod: %s.%s exited with code %d", pod.Namespace, pod.Name, code))
}

func replacedEvent(pod, cause string) event {
	return warning("PodReplaced", "Replace", fmt.Sprintf("%s %s; it is made again and not counted", pod, cause))
}

func createdEvent(names []string) event {
	note := "Created pod: " + names[0]
	if n := len(names); n > 1 {
		note = fmt.Sprintf("Created %d pods: %s to %s", n, names[0], names[n-1])
	}
	return normal("SuccessfulCreatePod", "Create", note)
}

func createFailedEvent(err error) event {
	return warning("FailedCreatePod", "Create", err.Error())
}

func restartPolicyEvent(replica kubeflowv1.ReplicaType) event {
	return warning("SetPodTemplateRestartPolicy", "Create", fmt.Sprintf(
		"%s: the restart policy in the pod template is overwritten by the one of the replica; set restartPolicy beside replicas", replica))
}

func schedulerEvent(replica kubeflowv1.ReplicaType, scheduler string) event {
	return warning("SetPodTemplateSchedulerName", "Create", fmt.Sprintf(
		"%s: the gang has placed the pods, the scheduler %s has no say in it; remove schedulerName from the template", replica, scheduler))
}

func (p *pass) emit(e event) { p.out.Events = append(p.out.Events, e) }

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/internal/clip"
)

// Reasons that a Model is not Ready, from what must be repaired first to what
// may pass by itself. Of several, the first is said.
const (
	reasonRefused       = "Refused"       // the API server takes no such object
	reasonClaimNotFound = "ClaimNotFound" // no claim of that name
	reasonPodsRefused   = "PodsRefused"   // quota or policy takes no such pod
	reasonImagePull     = "ImageNotPulled"
	reasonConfig        = "ConfigNotFound" // env names a secret or config map that is not there
	reasonCannotStart   = "EngineCannotStart"
	reasonCrashing      = "EngineCrashing" // again and again
	reasonExited        = "EngineExited"   // once
	reasonUnschedulable = "Unschedulable"
)

// faultOrder ranks the reasons; what is not in it is no fault.
func faultOrder() []string {
	return []string{reasonRefused, reasonClaimNotFound, reasonPodsRefused, reasonImagePull, reasonConfig,
		reasonCannotStart, reasonCrashing, reasonExited, reasonUnschedulable}
}

func isFault(reason string) bool { return slices.Contains(faultOrder(), reason) }

// maxSaid is how much of an engine's last words is repeated, in bytes.
const maxSaid = 300

// manyRestarts tell an engine that crashes from one that had an accident.
const manyRestarts = 2

// fault is why a Model is not Ready.
type fault struct {
	Reason, Message string
	Person          bool // nothing changes until a person acts
}

// worst of everything that keeps a Model from being Ready.
func worst(in *observed) fault {
	var faults []fault
	if in.Refused != nil {
		faults = append(faults, fault{reasonRefused, in.Refused.Error(), true})
	}
	if in.ClaimMissing {
		faults = append(faults, fault{reasonClaimNotFound, fmt.Sprintf(
			"there is no PersistentVolumeClaim %s in namespace %s; make it, or correct spec.source.claim.name",
			claimOf(in.Model).Name, in.Model.Namespace), true})
	}
	faults = append(faults, refusedPods(&in.Deployment)...)
	for i := range in.Pods {
		faults = append(faults, ofPod(&in.Pods[i], in.Model.Spec.Engine.Container.ReadyPath)...)
	}
	if len(faults) == 0 {
		return fault{reasonStarting, "the replicas are being made", false}
	}
	return slices.MinFunc(faults, func(a, b fault) int {
		return cmp.Or(cmp.Compare(rank(a.Reason), rank(b.Reason)), cmp.Compare(a.Message, b.Message))
	})
}

func rank(reason string) int {
	order := faultOrder()
	if i := slices.Index(order, reason); i >= 0 {
		return i
	}
	return len(order)
}

// refusedPods is what the API server said to the maker of the pods.
func refusedPods(d *appsv1.Deployment) []fault {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return []fault{{reasonPodsRefused, "pods are refused: " + c.Message, true}}
		}
	}
	return nil
}

// ofPod lists what keeps a pod from answering. A pod that has failed for good or
// goes is replaced, and its replacement counts.
func ofPod(pod *corev1.Pod, readyPath string) []fault {
	if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || conditionOf(pod, corev1.PodReady).Status == corev1.ConditionTrue {
		return nil
	}
	if c := conditionOf(pod, corev1.PodScheduled); c.Status == corev1.ConditionFalse {
		return []fault{{reasonUnschedulable, "a replica has no node: " + c.Message, false}}
	}
	var faults []fault
	for i := range pod.Status.ContainerStatuses {
		faults = append(faults, ofContainer(&pod.Status.ContainerStatuses[i], readyPath))
	}
	return faults
}

func conditionOf(pod *corev1.Pod, kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
}

func ofContainer(status *corev1.ContainerStatus, readyPath string) fault {
	if waiting := status.State.Waiting; waiting != nil {
		if f, is := ofWaiting(status.Image, waiting); is {
			return f
		}
	}
	ended := cmp.Or(status.State.Terminated, status.LastTerminationState.Terminated)
	switch {
	case ended == nil && status.State.Running != nil:
		return fault{reasonStarting, "the engine runs and does not answer 200 at " + readyPath + " yet", false}
	case ended == nil:
		return fault{reasonStarting, "the container is being made", false}
	case ended.Reason == "StartError" || ended.Reason == "ContainerCannotRun":
		return fault{reasonCannotStart, "the engine cannot be started: " + said(ended.Message) +
			"; correct command and args of engine.container", true}
	case status.RestartCount >= manyRestarts || isCrashLoop(status):
		return fault{reasonCrashing, "the engine crashes again and again: it " + ending(ended), true}
	}
	return fault{reasonExited, "the engine is started again: it " + ending(ended), false}
}

func isCrashLoop(status *corev1.ContainerStatus) bool {
	return status.State.Waiting != nil && status.State.Waiting.Reason == "CrashLoopBackOff"
}

// ofWaiting knows the kubelet's reasons for a container that it does not start.
func ofWaiting(image string, waiting *corev1.ContainerStateWaiting) (fault, bool) {
	switch waiting.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
		"RegistryUnavailable", "SignatureValidationFailed":
		return fault{reasonImagePull, fmt.Sprintf(
			"image %s cannot be pulled: %s; correct engine.container.image, or import the image", image, pullError(waiting.Message)), true}, true
	case "CreateContainerConfigError":
		return fault{reasonConfig, "the container's configuration is not complete: " + waiting.Message, true}, true
	case "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError":
		return fault{reasonCannotStart, "the container cannot be started: " + said(waiting.Message), true}, true
	}
	return fault{}, false
}

// pullError is the same text whether the kubelet pulls or waits to pull again,
// so that the status does not change to and fro.
func pullError(message string) string {
	if _, cause, cut := strings.Cut(message, "ErrImagePull: "); cut {
		message = cause
	}
	return said(message)
}

// ending says how an engine ended, with its last words.
func ending(ended *corev1.ContainerStateTerminated) string {
	if ended.Reason == "OOMKilled" {
		return "was killed because it used more memory than resources.limits.memory; raise the limit"
	}
	how := fmt.Sprintf("ended with exit code %d", ended.ExitCode)
	if ended.Signal != 0 {
		how = fmt.Sprintf("was ended by signal %d", ended.Signal)
	}
	if words := said(ended.Message); words != "" {
		return how + ": " + words
	}
	return how + " and without a word; see its logs"
}

// said is the last line of a message that is not empty: the one that names the
// error, in most languages.
func said(message string) string {
	message = strings.TrimSpace(message)
	if i := strings.LastIndexByte(message, '\n'); i >= 0 {
		message = strings.TrimSpace(message[i:])
	}
	return clip.Text(message, maxSaid)
}

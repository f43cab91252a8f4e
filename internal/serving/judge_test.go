// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func TestJudge(t *testing.T) {
	unseen := deploymentWith(1, 1, 1)
	unseen.Generation++
	ready := podWith(running(), isReady)

	for _, c := range []struct {
		name string
		in   observed
		want string // conditions, and the words of Ready
	}{
		{"all answer", observed{Model: modelWith(replicas(2)), Deployment: deploymentWith(2, 2, 2)},
			"Ready=Serving; 2 replicas answer"},
		{"one answers", observed{Model: modelWith(), Deployment: deploymentWith(1, 1, 1)},
			"Ready=Serving; 1 replica answers"},
		{"stopped", observed{Model: modelWith(replicas(0)), Deployment: deploymentWith(0, 0, 0)},
			"Ready=Stopped; the model is stopped: spec.replicas is 0; set it to 1 or more to serve"},
		{"stopping", observed{Model: modelWith(replicas(0)), Deployment: deploymentWith(1, 1, 1)},
			"Reconciling=Starting; 1 of 0 replicas answer; the replicas are being made"},
		{"new", observed{Model: modelWith(), Deployment: deploymentWith(0, 0, 0)},
			"Reconciling=Starting; 0 of 1 replica answers; the replicas are being made"},
		{"spec not seen by its controller", observed{Model: modelWith(), Deployment: unseen},
			"Reconciling=Starting; 1 of 1 replica answers; the replicas are being made"},
		{"old revision answers", observed{Model: modelWith(), Deployment: deploymentWith(2, 1, 1), Pods: []corev1.Pod{ready, podWith(running())}},
			"Reconciling=Starting; 1 of 1 replica answers; the engine runs and does not answer 200 at /health yet"},
		{"container being made", observed{Model: modelWith(), Pods: []corev1.Pod{podWith(waiting("ContainerCreating", ""))}},
			"Reconciling=Starting; 0 of 1 replica answers; the container is being made"},
		{"no node", observed{Model: modelWith(), Pods: []corev1.Pod{unschedulable()}},
			"Reconciling=Unschedulable; 0 of 1 replica answers; a replica has no node: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu."},
		{"no claim", observed{Model: modelWith(fromClaim("run-1", "")), ClaimMissing: true, Pods: []corev1.Pod{unschedulable()}},
			"Stalled=ClaimNotFound; 0 of 1 replica answers; there is no PersistentVolumeClaim run-1 in namespace team; make it, or correct spec.source.claim.name"},
		{"no claim, and yet all answer", observed{Model: modelWith(fromClaim("run-1", "")), ClaimMissing: true, Deployment: deploymentWith(1, 1, 1)},
			"Ready=Serving; 1 replica answers"},
	} {
		t.Run(c.name, func(t *testing.T) { wantJudgement(t, &c.in, c.want) })
	}
}

func TestJudgeWhatIsWrong(t *testing.T) {
	failed := deploymentWith(0, 0, 0)
	failed.Status.Conditions = []appsv1.DeploymentCondition{{
		Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota: gpus",
	}}
	going := podWith(ended(3, "Error", 1, ""), func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} })
	evicted := podWith(ended(0, "Error", 137, ""), func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed })

	for _, c := range []struct {
		name string
		in   observed
		want string
	}{
		{"quota", observed{Model: modelWith(), Deployment: failed},
			"Stalled=PodsRefused; 0 of 1 replica answers; pods are refused: exceeded quota: gpus"},
		{"API server refuses", observed{Model: modelWith(), Deployment: deploymentWith(1, 1, 1), Refused: takenError{"Service", "model-tiny"}},
			"Stalled=Refused; 1 of 1 replica answers; Service model-tiny exists and is not this Model's; delete it or give the Model another name"},
		{"worst of several", observed{Model: modelWith(replicas(3)), Deployment: deploymentWith(3, 3, 1),
			Pods: []corev1.Pod{unschedulable(), podWith(running(), isReady), podWith(waiting("ErrImageNeverPull", "not present"))}},
			"Stalled=ImageNotPulled; 1 of 3 replicas answer; image engine:1 cannot be pulled: not present; correct engine.container.image, or import the image"},
		{"what goes or was replaced does not count", observed{Model: modelWith(), Pods: []corev1.Pod{going, evicted}},
			"Reconciling=Starting; 0 of 1 replica answers; the replicas are being made"},
	} {
		t.Run(c.name, func(t *testing.T) { wantJudgement(t, &c.in, c.want) })
	}
}

func wantJudgement(t *testing.T, in *observed, want string) {
	t.Helper()
	status := judge(in, testURL)
	if got := summary(t, status); got != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
	}
	if status.URL != testURL || status.Selector != "slipway.dev/model=tiny" || status.ObservedGeneration != 3 ||
		status.Replicas != in.Deployment.Status.Replicas || status.ReadyReplicas != in.Deployment.Status.ReadyReplicas {
		t.Errorf("got status %+v", status)
	}
	in.Model.Status = status
	if diff := cmp.Diff(status, judge(in, testURL)); diff != "" {
		t.Errorf("a second look changes the status: %s", diff)
	}
}

// summary checks that conditions keep to kstatus and says them in one line.
func summary(t *testing.T, status slipwayv1.ModelStatus) string {
	t.Helper()
	byType := map[string]metav1.Condition{}
	for _, c := range status.Conditions {
		byType[c.Type] = c
	}
	ready := byType[slipwayv1.ConditionReady]
	if ready.Status == metav1.ConditionTrue {
		if len(byType) != 1 {
			t.Errorf("Ready beside others: %v", byType)
		}
		return fmt.Sprintf("Ready=%s; %s", ready.Reason, ready.Message)
	}
	delete(byType, slipwayv1.ConditionReady)
	if len(byType) != 1 {
		t.Fatalf("want one of Reconciling and Stalled, got %v", byType)
	}
	for name, other := range byType {
		if other.Reason != ready.Reason || other.Message != ready.Message || other.Status != metav1.ConditionTrue {
			t.Errorf("Ready says %v, %s says %v", ready, name, other)
		}
		return fmt.Sprintf("%s=%s; %s", name, other.Reason, other.Message)
	}
	return ""
}

func TestReadyAfterStalled(t *testing.T) {
	in := &observed{Model: modelWith(), Refused: errors.New("no")}
	in.Model.Status = judge(in, testURL)
	in.Refused, in.Deployment = nil, deploymentWith(1, 1, 1)
	if got := summary(t, judge(in, testURL)); !strings.HasPrefix(got, "Ready=Serving") {
		t.Errorf("got %s", got)
	}
}

func TestOfContainer(t *testing.T) {
	trace := "Traceback (most recent call last):\n  File \"serve.py\", line 3\nRuntimeError: no weights in /models\n"
	looping := waiting("CrashLoopBackOff", "back-off 10s restarting failed container")
	looping.LastTerminationState = ended(0, "Error", 1, trace).State
	for _, c := range []struct {
		name   string
		status corev1.ContainerStatus
		want   fault
	}{
		{"pulling fails", waiting("ErrImagePull", "failed to pull and unpack: not found"),
			fault{reasonImagePull, "image engine:1 cannot be pulled: failed to pull and unpack: not found; correct engine.container.image, or import the image", true}},
		{"waits to pull again", waiting("ImagePullBackOff", `Back-off pulling image "engine:1": ErrImagePull: failed to pull and unpack: not found`),
			fault{reasonImagePull, "image engine:1 cannot be pulled: failed to pull and unpack: not found; correct engine.container.image, or import the image", true}},
		{"no secret", waiting("CreateContainerConfigError", `secret "hf" not found`),
			fault{reasonConfig, `the container's configuration is not complete: secret "hf" not found`, true}},
		{"cannot be made", waiting("CreateContainerError", "name is reserved"),
			fault{reasonCannotStart, "the container cannot be started: name is reserved", true}},
		{"no such command", ended(1, "StartError", 128, `exec: "serv": executable file not found in $PATH`),
			fault{reasonCannotStart, `the engine cannot be started: exec: "serv": executable file not found in $PATH; correct command and args of engine.container`, true}},
		{"first end", ended(0, "Error", 1, trace),
			fault{reasonExited, "the engine is started again: it ended with exit code 1: RuntimeError: no weights in /models", false}},
		{"runs again", ended(1, "Error", 1, trace),
			fault{reasonExited, "the engine is started again: it ended with exit code 1: RuntimeError: no weights in /models", false}},
		{"again and again", ended(2, "Error", 1, trace),
			fault{reasonCrashing, "the engine crashes again and again: it ended with exit code 1: RuntimeError: no weights in /models", true}},
		{"waits to start again", looping,
			fault{reasonCrashing, "the engine crashes again and again: it ended with exit code 1: RuntimeError: no weights in /models", true}},
		{"silent", ended(5, "Completed", 0, ""),
			fault{reasonCrashing, "the engine crashes again and again: it ended with exit code 0 and without a word; see its logs", true}},
		{"memory", ended(2, "OOMKilled", 137, ""),
			fault{reasonCrashing, "the engine crashes again and again: it was killed because it used more memory than resources.limits.memory; raise the limit", true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.status.Image = "engine:1"
			if diff := cmp.Diff(c.want, ofContainer(&c.status, "/health")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package restart

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

// batchJob has one pod, which ends well when it is asked to end.
func batchJob(name, queue, policy, spec string) string {
	return fmt.Sprintf(`
---
apiVersion: batch/v1
kind: Job
metadata: {name: %[1]s, labels: {%[2]s}}
spec:
  %[4]s
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      restartPolicy: %[3]s
      terminationGracePeriodSeconds: 1
      containers: [{name: probe, image: %[5]q, imagePullPolicy: Never, args: [wait]}]
`, name, queue, policy, spec, rig.Image)
}

const deployment = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: probe, image: "` + rig.Image + `", imagePullPolicy: Never, args: [wait]}]}
`

// interruptions are the workloads, and how many pods of each run.
func interruptions() (manifest string, pods map[string]int) {
	const ignoring = `backoffLimit: 0
  podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: "True"}]}]}`
	manifest = deployment + batchJob("job-onfailure", "", "OnFailure", "completions: 1") +
		batchJob("job-queued", "slipway.dev/project: "+space, "Never", "completions: 1") +
		batchJob("job-never", "", "Never", ignoring)
	pods = map[string]int{"web": 1, "job-onfailure": 1, "job-queued": 1, "job-never": 1}
	for _, policy := range []string{"Always", "OnFailure", "Never", "ExitCode"} {
		job := rig.Job{Name: "train-" + strings.ToLower(policy), Workers: 2, Restart: policy}
		if policy != "Always" { // then the kubelet starts it again in its pod, which counts
			job.Spec = "runPolicy: {backoffLimit: 1}" // a failure of its own would end it
		}
		pods[job.Name] = job.Workers
		manifest += "---" + job.Manifest()
	}
	return manifest, pods
}

// TestDownInterrupts holds that "slipway down" ends no work: what saves it and exits
// with 0 when it is asked to end has not done all of it, and goes on afterwards.
func TestDownInterrupts(t *testing.T) {
	c := rig.Start(t, "--nodes", "2")
	c.Namespace(t, space)
	c.Apply(t, space, "apiVersion: slipway.dev/v1alpha1\nkind: Project\nmetadata: {name: "+space+"}\nspec: {}")
	manifest, apps := interruptions()
	c.Apply(t, space, manifest)
	var bare []*corev1.Pod
	for _, policy := range []corev1.RestartPolicy{corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever} {
		pod := rig.Pod("bare-"+strings.ToLower(string(policy)), "wait")
		pod.Spec.RestartPolicy = policy
		bare = append(bare, pod)
	}
	bare = c.Create(t, space, bare...)
	for app, count := range apps {
		c.AwaitPods(t, space, "app="+app, app+" runs", running(count, time.Time{}))
	}

	t.Log(strings.TrimSpace(c.OK(t, "down")))
	back := time.Now()
	c.Up(t)
	for app, count := range apps {
		c.AwaitPods(t, space, "app="+app, app+" runs again", running(count, back))
	}
	for _, pod := range bare[:2] {
		again := c.AwaitPods(t, space, rig.Label+"="+pod.Name, pod.Name+" runs again", running(1, back))
		if again[0].UID != pod.UID {
			t.Errorf("pod %s is another one; nobody could have made it", pod.Name)
		}
	}
	c.AwaitPods(t, space, rig.Label+"=bare-never", "what runs only once has failed, by no fault of its own", interrupted)
	t.Log(c.OK(t, "kubectl", "get", "pods,jobs,pytorchjobs", "-n", space))
}

// running holds when so many pods have not failed, and the containers of all of them were
// started since a moment.
func running(want int, since time.Time) func([]*corev1.Pod) error {
	return func(pods []*corev1.Pod) error {
		count := 0
		for _, pod := range pods {
			if pod.Status.Phase == corev1.PodFailed {
				continue
			}
			count++
			if pod.Status.Phase != corev1.PodRunning {
				return fmt.Errorf("pod %s is %s: %v", pod.Name, pod.Status.Phase, pod.Status.ContainerStatuses)
			}
			for _, s := range pod.Status.ContainerStatuses {
				if s.State.Running == nil || s.State.Running.StartedAt.Time.Before(since) {
					return fmt.Errorf("container of pod %s: %+v", pod.Name, s.State)
				}
			}
		}
		if count != want {
			return fmt.Errorf("%d of %d pods have not failed; want %d", count, len(pods), want)
		}
		return nil
	}
}

func interrupted(pods []*corev1.Pod) error {
	for _, pod := range pods {
		for _, c := range pod.Status.Conditions {
			if pod.Status.Phase == corev1.PodFailed && c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
	}
	return fmt.Errorf("it is %+v", pods)
}

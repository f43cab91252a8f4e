// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package batch holds that what people have already is queued on a real cluster: Jobs
// as Kueue's users write them, pods by the name of their scheduler, and groups of
// pods; and that nobody makes a job in another's name.
package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

const space = "batch"

const project = `
apiVersion: slipway.dev/v1alpha1
kind: Project
metadata: {name: team}
spec: {quota: [{resource: example.com/device, guaranteed: "0", limit: "2"}]}
`

// pods of the probe, each with a device, in the YAML of a template.
const pods = `
      metadata: {labels: {test: %[1]s}}
      spec:
        %[2]s
        terminationGracePeriodSeconds: 1
        containers:
        - name: probe
          image: ` + rig.Image + `
          imagePullPolicy: Never
          args: [%[3]s]
          resources: {limits: {example.com/device: 1}}
`

// container of the probe in flow style, to be closed.
const container = `{name: probe, image: "` + rig.Image + `", imagePullPolicy: Never, args: [wait]`

// job is indexed, of two pods, and suspended, as for Kueue.
func job(name string) string {
	return fmt.Sprintf(`
apiVersion: batch/v1
kind: Job
metadata: {name: %s, labels: {kueue.x-k8s.io/queue-name: team}, annotations: {slipway.dev/user: mallory}}
spec:
  parallelism: 2
  completions: 2
  completionMode: Indexed
  suspend: true
  template:`, name) + fmt.Sprintf(pods, name, "restartPolicy: Never", "wait")
}

func TestBatch(t *testing.T) {
	c := rig.Start(t)
	c.Namespace(t, space)
	c.Devices(t, "example.com/device", 3)
	t.Run("jobs of a queue take turns", func(t *testing.T) { takeTurns(t, c) })
	t.Run("pods by their scheduler", func(t *testing.T) { deployment(t, c) })
	t.Run("groups start whole", func(t *testing.T) { group(t, c) })
	t.Run("a claim of the default class", func(t *testing.T) { claim(t, c) })
	t.Run("a job claims devices", func(t *testing.T) { claimDevices(t, c) })
	t.Run("a pod that Kubernetes' scheduler does not bind", func(t *testing.T) { refused(t, c) })
}

func takeTurns(t *testing.T, c *rig.Cluster) {
	c.Apply(t, space, project)
	c.Apply(t, space, job("first"))
	first := c.AwaitPods(t, space, "test=first", "the first job runs", rig.PodsReady(2))
	if index := first[0].Labels["batch.kubernetes.io/job-completion-index"]; index == "" {
		t.Errorf("the pods are not indexed: %v", first[0].Labels)
	}
	c.Apply(t, space, job("second"))
	rig.Eventually(t, "the second job says that it waits for the quota", func(context.Context) error {
		if events := c.OK(t, "kubectl", "events", "-n", space, "--for", "job/second"); !strings.Contains(events, "project team may use 2 and uses 2") {
			return errors.New(events)
		}
		return nil
	})
	if user := c.OK(t, "kubectl", "get", "job", "second", "-n", space, "-o", `jsonpath={.metadata.annotations.slipway\.dev/user}`); user == "mallory" || user == "" {
		t.Errorf("the job is %q's", user)
	}
	c.AwaitPods(t, space, "test=second", "no pod of the second job is there", rig.PodsReady(0))
	if list := c.OK(t, "ps", "-n", space); !strings.Contains(list, "Waiting") || !strings.Contains(list, "project team may use 2") {
		t.Errorf("slipway ps prints:\n%s", list)
	}
	c.OK(t, "delete", "-n", space, "job/first", "--wait")
	c.AwaitPods(t, space, "test=second", "the second job runs", rig.PodsReady(2))
	c.OK(t, "kubectl", "patch", "job", "second", "-n", space, "-p", `{"metadata": {"labels": {"kueue.x-k8s.io/queue-name": null, "slipway.dev/project": "team"}}}`)
	c.OK(t, "kubectl", "patch", "job", "second", "-n", space, "-p", `{"spec": {"suspend": true}}`)
	c.AwaitPods(t, space, "test=second", "the second job is suspended", rig.PodsReady(0))
	c.OK(t, "kubectl", "patch", "job", "second", "-n", space, "-p", `{"spec": {"suspend": false}}`)
	c.AwaitPods(t, space, "test=second", "the second job runs again", rig.PodsReady(2))
	c.OK(t, "delete", "-n", space, "job/second", "--wait")
}

func deployment(t *testing.T, c *rig.Cluster) {
	c.Apply(t, space, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: served}
spec:
  replicas: 2
  selector: {matchLabels: {test: served}}
  template:`+fmt.Sprintf(pods, "served", "schedulerName: slipway", "wait"))
	c.AwaitPods(t, space, "test=served", "the Deployment runs", rig.PodsReady(2))
}

// group of three, of which one would fit.
func group(t *testing.T, c *rig.Cluster) {
	for i := range 3 {
		c.Apply(t, space, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata:
  name: member-%d
  labels: {test: member, kueue.x-k8s.io/pod-group-name: g}
  annotations: {kueue.x-k8s.io/pod-group-total-count: "3"}
spec:
  schedulerName: slipway
  terminationGracePeriodSeconds: 1
  containers:
  - %s, resources: {limits: {example.com/device: 1}}}
`, i, container))
	}
	c.AwaitPods(t, space, "test=member", "all say that the group waits", func(members []*corev1.Pod) error {
		if len(members) != 3 {
			return fmt.Errorf("there are %d", len(members))
		}
		for _, p := range members {
			if p.Spec.NodeName != "" {
				t.Fatalf("%s is bound, and the group does not fit", p.Name)
			}
			if why := waitsFor(p); !strings.Contains(why, "needs 3 pods") {
				return fmt.Errorf("%s says %q", p.Name, why)
			}
		}
		return nil
	})
	if answer := c.OK(t, "simulate"); !strings.Contains(answer, space+"/group/g") {
		t.Errorf("slipway simulate does not know of the group:\n%s", answer)
	}
	c.OK(t, "kubectl", "delete", "deployment", "served", "-n", space)
	c.AwaitPods(t, space, "test=member", "the group runs", rig.PodsReady(3))
	c.OK(t, "kubectl", "delete", "pod", "-l", "test=member", "-n", space)
}

func waitsFor(p *corev1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return c.Message
		}
	}
	return ""
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package projects holds that a project gets what it is guaranteed on a real
// cluster: the job of another one, which had borrowed it, ends, waits with a
// reason, and runs again when its turn comes.
package projects

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

const space = "projects"

const projects = `
apiVersion: slipway.dev/v1alpha1
kind: Project
metadata: {name: red}
spec: {quota: [{resource: example.com/device, guaranteed: "1"}]}
---
apiVersion: slipway.dev/v1alpha1
kind: Project
metadata: {name: blue}
spec: {quota: [{resource: example.com/device, guaranteed: "2"}]}
`

// job that takes devices of the project of its name.
func job(project string, workers int) string {
	return rig.Job{Name: project, Workers: workers, Labels: "slipway.dev/project: " + project, Resources: rig.OneDevice}.Manifest()
}

func TestProjects(t *testing.T) {
	c := rig.Start(t)
	c.Namespace(t, space)
	c.Devices(t, rig.Device, 3)
	c.Apply(t, space, projects)
	c.Apply(t, space, job("red", 3))
	pods := c.AwaitPods(t, space, rig.Selector("red"), "the red job has borrowed all devices", rig.PodsReady(3))
	c.Apply(t, space, job("blue", 2))
	c.AwaitPods(t, space, rig.Selector("blue"), "the blue job has what it is guaranteed", rig.PodsReady(2))
	reason := c.OK(t, "kubectl", "get", "gang", "-n", space, "pytorchjob-red", "-o", `jsonpath={.status.conditions[?(@.type=="Placed")].message}`)
	if !strings.Contains(reason, "needs 3 pods") && !strings.Contains(reason, "guaranteed") {
		t.Errorf("the red job waits because %q", reason)
	}
	if list := c.OK(t, "queue"); !strings.Contains(list, "pytorchjob-red") || !strings.Contains(list, "blue") {
		t.Errorf("slipway queue prints:\n%s", list)
	}
	c.AwaitPods(t, space, rig.Selector("red"), "no pod of the red job is left", func(left []*corev1.Pod) error {
		if len(left) > 0 {
			return fmt.Errorf("there are %d", len(left))
		}
		return nil
	})
	c.OK(t, "delete", "-n", space, "pytorchjob/blue", "--wait")
	again := c.AwaitPods(t, space, rig.Selector("red"), "the red job runs again", rig.PodsReady(3))
	if again[0].UID == pods[0].UID {
		t.Error("the pods of the red job are those from before")
	}
}

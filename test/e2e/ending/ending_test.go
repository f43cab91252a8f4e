// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ending holds that a namespace goes with all that runs and waits in it: nothing
// is made anew there, nobody complains, and others get the places.
package ending

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

// container takes one of the devices.
const container = `{name: probe, image: "` + rig.Image + `", imagePullPolicy: Never, args: [wait], resources: ` + rig.OneDevice + `}`

func training(name string, workers int) string {
	return rig.Job{Name: name, Workers: workers, Resources: rig.OneDevice}.Manifest()
}

const others = `
---
apiVersion: batch/v1
kind: Job
metadata: {name: batch, labels: {kueue.x-k8s.io/queue-name: none}}
spec: {template: {spec: {restartPolicy: Never, containers: [` + container + `]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pods}
spec:
  replicas: 2
  selector: {matchLabels: {app: pods}}
  template: {metadata: {labels: {app: pods}}, spec: {schedulerName: slipway, containers: [` + container + `]}}
`

func TestNamespaceEnds(t *testing.T) {
	c := rig.Start(t)
	c.Namespace(t, "ending")
	c.Namespace(t, "staying")
	c.Devices(t, rig.Device, 3)
	c.Apply(t, "ending", training("runs", 3))
	c.AwaitPods(t, "ending", rig.Selector("runs"), "a job runs", rig.PodsReady(3))
	c.Apply(t, "ending", training("waits", 2)+others)
	c.AwaitPods(t, "ending", "app=pods", "pods wait", func(pods []*corev1.Pod) error {
		if len(pods) != 2 {
			return fmt.Errorf("there are %d", len(pods))
		}
		return nil
	})
	c.Apply(t, "staying", training("next", 3))
	c.OK(t, "kubectl", "delete", "namespace", "ending") // returns when it is gone
	c.AwaitPods(t, "staying", rig.Selector("next"), "another job has the places", rig.PodsReady(3))

	content, err := os.ReadFile(filepath.Join(c.Data, "log", "platform.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, "being terminated") {
			t.Errorf("the platform complains: %s", line)
		}
	}
}

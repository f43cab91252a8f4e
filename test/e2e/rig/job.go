// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"cmp"
	"fmt"
)

// Device is an extended resource of which Jobs take one for each worker; see Cluster.Devices.
const Device = "example.com/device"

// Job is a PyTorchJob whose workers run the probe. What is particular about one is YAML in
// flow style, which goes to where the field says.
type Job struct {
	Name    string
	Workers int
	// Args of the probe; [wait] where there are none.
	Args string
	// Restart policy of the workers; OnFailure where there is none.
	Restart string
	// Labels of the job, and what else is in its spec.
	Labels, Spec string
	// Annotations of its pods, what else is in their spec, and their resources.
	Annotations, Pod, Resources string
}

// OneDevice is what each worker takes of Device.
const OneDevice = "{limits: {" + Device + ": 1}}"

// Selector of the pods of the job of a name.
func Selector(job string) string { return "training.kubeflow.org/job-name=" + job }

// Manifest of the job, whose pods have its name as their label app, too.
func (j Job) Manifest() string {
	return fmt.Sprintf(`
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: %[1]s, labels: {%[2]s}}
spec:
  %[3]s
  pytorchReplicaSpecs:
    Worker:
      replicas: %[4]d
      restartPolicy: %[5]s
      template:
        metadata: {labels: {app: %[1]s}, annotations: {%[6]s}}
        spec:
          terminationGracePeriodSeconds: 1
          %[7]s
          containers:
          - {name: pytorch, image: %[8]q, imagePullPolicy: Never, args: %[9]s, resources: %[10]s}
`, j.Name, j.Labels, j.Spec, j.Workers, cmp.Or(j.Restart, "OnFailure"), j.Annotations, j.Pod, Image, cmp.Or(j.Args, "[wait]"), cmp.Or(j.Resources, "{}"))
}

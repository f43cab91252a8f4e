// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package nodes

import "slipway.dev/slipway/test/e2e/rig"

// jobPods selects the pods of the job below.
const jobPods = "training.kubeflow.org/job-name=job"

// workloads: a Deployment with a replica on each node, whose patience with a
// dead node is short, and a job with a rank on each of the further nodes.
const workloads = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}
      tolerations:
      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
      - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
      containers:
      - {name: probe, image: "` + rig.Image + `", imagePullPolicy: Never, args: [serve, ":8080"]}
---
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: job}
spec:
  pytorchReplicaSpecs:
    Master: &replica
      replicas: 1
      restartPolicy: OnFailure
      template:
        spec:
          terminationGracePeriodSeconds: 1
          affinity:
            nodeAffinity:
              preferredDuringSchedulingIgnoredDuringExecution:
              - {weight: 100, preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: NotIn, values: [node-0]}]}}
          containers:
          - name: pytorch
            image: ` + rig.Image + `
            imagePullPolicy: Never
            args: [wait]
            ports: [{name: pytorchjob-port, containerPort: 23456, hostPort: 23456}]
    Worker: *replica
`

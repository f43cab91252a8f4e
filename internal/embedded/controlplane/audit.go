// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

// AuditPolicy is what the audit log records: who changed what, never the
// content of Secrets or tokens, and not the traffic of the machinery itself.
const AuditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi*", "/api", "/api/*", "/apis", "/apis/*"]
- level: None
  userGroups: ["system:nodes", "system:masters"]
- level: None
  users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy",
          "slipway:platform", "slipway:metrics-server", "slipway:storage", "slipway:network-policy"]
- level: None
  userGroups: ["system:serviceaccounts:kube-system"]
- level: None
  resources: [{group: "", resources: [events]}, {group: events.k8s.io, resources: [events]}]
- level: Metadata
  resources:
  - {group: "", resources: [secrets, configmaps, serviceaccounts/token]}
  - {group: authentication.k8s.io, resources: [tokenreviews]}
- level: None
  verbs: [get, list, watch]
- level: Request
`

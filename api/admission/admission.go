// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admission holds what the API server itself does to people's objects when
// they are made, changed or deleted: it holds Jobs back that wait in a queue, and pods
// whose devices somebody else allocates, writes down whose a job or a pod is, keeps Projects in
// use from being deleted by a slip, and keeps no book of who wrote which field of a Gang and of
// its pods. They are policies, evaluated inside the API server, so that no request waits for a
// process of ours; they are the same in an embedded cluster and in somebody else's.
//
// Of custom kinds the API server refuses whatever a policy is about until it knows their
// schema, which it looks for every five seconds.
package admission

import "embed"

// Jobs are the policies, and their bindings, about Kubernetes' own kinds, in YAML.
//
//go:embed jobs.yaml pods.yaml users.yaml
var Jobs embed.FS

// Custom are those about custom kinds; the one about Gangs is about their pods, too.
//
//go:embed gangs.yaml projects.yaml training.yaml
var Custom embed.FS

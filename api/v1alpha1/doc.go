// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the kinds that Slipway adds to Kubernetes, group slipway.dev.
//
// There are five, and each exists because nobody else has a good one:
//
//	Project    a team: its namespace, members, quota and defaults     (cluster)
//	Gang       what the scheduler decides on, whole or not at all     (namespace)
//	Model      one endpoint for one model                             (namespace)
//	Workspace  a notebook or editor with a persistent home            (namespace)
//	App        a web app wired to Models                              (namespace)
//
// Training has no kind of our own: people keep the manifests they have, and
// "slipway train" writes those kinds too.
//
// Every status follows kstatus: Ready is the summary, Reconciling says that
// work is under way, Stalled that a person is needed. The words in a
// condition's message are the words that the command line prints.
//
// The schemas in api/crds are generated from these types ("make generate").
//
// +kubebuilder:object:generate=true
// +groupName=slipway.dev
package v1alpha1

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package fakenode makes nodes that do not exist and plays their kubelets, for
// thousands of nodes in one process beside what is measured.
//
// A node is Ready and stays so: no lease, no heartbeat, for nobody in a
// benchmark's cluster asks. A pod that is bound becomes Running with one patch of
// its status, and one that says in [AnnotationRunTime] for how long it runs then
// becomes Succeeded with another. A pod that is deleted goes at once. That is all
// that a kubelet costs the API server; nothing is pulled, started or probed.
package fakenode

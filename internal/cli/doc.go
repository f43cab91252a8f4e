// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of slipway: one file for each verb, each thin.
//
// A verb reads its flags, builds objects (package objects) or reads manifests
// (package manifest), talks to the API server (package connect) and says what
// happened and what to do next. What a workload is doing is said by package
// workload in the controllers' own words, and followed by packages live and
// follow.
//
// The verbs of the embedded Kubernetes (up, down, status and so on) belong to
// another program, slipway-kube; here they are names that hand over to it.
//
// Every error is one line, "slipway: cause; fix", and the exit code is 1, or 2
// when the command line itself is wrong, or 130 after Ctrl-C.
package cli

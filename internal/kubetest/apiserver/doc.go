// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package apiserver runs an embedded API server alone, for tests and benchmarks:
// etcd on a throw-away directory, the schemas and roles of Slipway, no nodes and
// no controllers, ready in a few seconds.
//
// It runs as a process of slipway-kube ("make build" makes it), so that its
// users link client libraries only, and ends with the process that started it.
// What a killed one leaves is removed by the next.
package apiserver

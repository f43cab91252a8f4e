// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package podset says what pods of a template ask for, as a pod set of a Gang: what
// they request of a node, which nodes they may go to, and how close together.
//
// Every controller that makes Gangs asks here, and the scheduler for pods that have
// none, so that a template means the same whatever kind of workload it is in. What a
// template names and is not there yet wakes its controller when it comes (needs.go). Each
// of their passes begins with the same look at whether the job is there at all (orphan.go).
package podset

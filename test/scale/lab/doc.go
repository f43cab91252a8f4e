// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lab is a cluster of fake nodes with a real API server and the real
// platform, and the stop-watches that benchmarks at scale read.
//
// A [Lab] has an API server of its own, whose data are thrown away with it, and
// plays all kubelets. The platform is the program slipway, started, killed and
// started again as the benchmark likes, as the user and with the role that it has
// in a cluster. Work is submitted in a [Batch], a namespace in which the lab notes
// when each pod was bound and each gang was placed or told why not, by the watches
// that anybody would use. For gangs that belong to no job the lab makes the pods,
// as a controller of a workload would.
//
// All of it shares the processors of one machine: what the lab costs is part of
// what is measured, as it would be if a person's tools ran there.
package lab

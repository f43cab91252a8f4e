// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rig is what the benchmarks of a running cluster share: it checks that
// they can run at all, boots clusters through the same command that people use,
// removes them whatever happens, and times pods.
//
// A benchmark is a main package of its own below test/bench, run by
// "make bench-NAME": it hands [Main] a function that measures and returns bars.
// Each cluster has a data directory and a port of its own. A network namespace
// holds one cluster, so that a benchmark is refused where another runs.
package rig

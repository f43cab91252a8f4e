// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package top says what takes the room of a cluster: of its nodes, and of what projects
// are guaranteed. What is taken is counted by the scheduler's own code, so that it
// includes places that are reserved and have no pods yet; what is used is what the metrics
// API measures, where it is served.
package top

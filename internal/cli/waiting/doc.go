// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package waiting lists what waits for its turn: gangs, and pods that have none. It says
// what the scheduler last wrote of them, which may be read by those who may not see the
// whole cluster.
package waiting

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package follow prints the logs of a workload's pods, while they run and
// across their deaths.
//
// A Follower looks at the picture of the workload each time it changes and
// decides, pod by pod, what to do about the log (decide.go, without I/O): open
// it, open it again where it broke off, turn to the pod that took the place of
// a dead one, or nothing. Streams (stream.go) carry the lines and know which of
// them were printed (position.go). It ends when the workload has ended and all
// that its pods said was printed.
package follow

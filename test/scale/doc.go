// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command scale measures the scheduler, and the platform around it, on thousands
// of fake nodes against a real API server: "make bench-scale", or one scenario
// with "go run ./test/scale -only NAME".
//
// A scenario is a row of the table in scenarios.go: a name, a limit in time and a
// function that opens clusters (package lab), gives them work and returns bars. A
// scenario that fails or runs out of time is a miss, and the next one runs. Sizes
// are flags; their defaults are those that the limits are meant for.
package main

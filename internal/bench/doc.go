// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package bench reports what "make bench-NAME" measured against the bars that
// Slipway must clear.
//
// A benchmark measures however it likes, states each result as a [Bar] and ends
// with [Write], which prints a table and leaves build/bench/NAME.json: a list
// with one entry for each bar, every entry with the machine it was measured on,
// so that lists of several machines can be joined without losing that.
//
//	[{"bar": "Node Ready, p95", "value": 8.4, "unit": "s", "limit": 10,
//	  "direction": "≤", "holds": true, "machine": {"cores": 2, …}}]
//
// A miss is reported as a miss and is no error; neither is a bar whose value
// could not be measured, which does not hold. Whether the run fails for it is
// the caller's decision.
package bench

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package simulate runs time forward over a cluster: it plays gangs that come,
// run and end, nodes that come and go, and lets the scheduler's own decisions
// (package placement, driven by [placement.Picture.Advance] and
// [placement.Picture.Settle] as internal/scheduler does) say what happens next. It
// is a function: no clock, no I/O, no goroutine, and the same input gives the same
// answer to the last bit.
//
// [Run] takes an [Input] and a [Policy] and returns a [Result]: what became of each
// gang, and what was used of each resource over time. [Result.Report] sums it up:
// utilisation, waits, fairness, who starved. Policy [Slipway] is ours; [FIFO] and
// [BestEffort] are what it is compared with, over the same picture, so that only the
// order of decisions differs and not how gangs are packed.
//
// # What is played
//
// A gang that is placed runs at once and ends when it has done its work, not when its
// limit is over: the scheduler plans with limits and does not kill. Its pods are
// bound while it runs, and the scheduler hears of each checkpoint. One that is evicted
// loses what it did since the last one, waits in the same place of the line, and does
// the rest later; its pods stay for their grace period. One that loses a node goes back
// to its last checkpoint, too, and goes on when the ranks there have another.
//
// Starting takes no time, nodes do not fail by themselves, and the scheduler decides
// the moment that something happens: the live one is later by milliseconds.
package simulate

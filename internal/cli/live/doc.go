// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package live keeps a picture of workloads up to date by watching them, for
// commands that follow, wait, or show changes.
//
// A View is read like a table and says when to read it again, however many
// changes there were in between: what is done with it depends on how things
// are, never on which events came.
package live

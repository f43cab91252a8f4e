// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package workload says how jobs and models are, in the words that people read:
// their status, how many of their pods run, and why the others do not.
//
// A Workload is an object with the gang and the pods that belong to it, loaded
// from the API server or from a watch's store. Its State is a pure function of
// those; the words of the reason are the controllers' own, from conditions, with
// what the pods complain about.
package workload

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package objects builds the objects that commands make, from what is said on
// the command line. Everything here is a pure function: no cluster, no files,
// no clock. Errors name the flag, the cause and the fix.
package objects

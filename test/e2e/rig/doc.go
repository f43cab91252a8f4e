// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rig is what the end-to-end tests share: it starts clusters with the
// same command that people use, removes them whatever happens, makes the image
// that the pods of the tests run, and waits for conditions.
//
// Each test below test/e2e holds one promise, on a cluster of its own with a
// data directory and a port of its own; nothing is reached outside the machine.
// There can be one running cluster in a network namespace, so the packages run
// one at a time (go test -p 1). On a machine that carries a cluster already they
// run beside it like this:
//
//	unshare --net --mount sh -c "ip link set lo up && make e2e"
//
// No time is asserted, on any machine: how long things took is logged.
package rig

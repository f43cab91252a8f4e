// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package whatif turns a question about a cluster into simulations: of the cluster as
// it is and of the one that somebody thinks of, and tells the difference.
//
// What "slipway simulate" adds to package simulate is here and is free of flags,
// files and terminals: which run times are assumed, what a changed node or quota
// means, and how two answers compare.
package whatif

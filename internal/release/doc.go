// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package release makes one file of the two programs and takes them apart again.
//
// A release is the program slipway with a payload appended, the directory of
// slipway-kube and its helpers (runc, the containerd shim, the CNI plugins):
//
//	slipway | tar compressed with zstd | length | SHA-256 of the tar.zst | magic
//
// An executable does not mind what follows it, so the file still starts as
// before. Pack writes it (the program internal/release/pack, for "make
// release"); Unpack puts the payload into a cache directory, once for each
// content, and returns where.
//
// The sum tells a damaged download from a whole one. It is no signature: who
// can change the payload can change the sum.
package release

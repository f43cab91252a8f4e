// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package devices holds the scheduler to what Kubernetes allocates: its tests make a
// random node with devices, some of them given to claims, and gangs whose pods claim some,
// too, and ask the allocator of Kubernetes' own scheduler whether they can all have them
// there. Ours only counts, and must say the same.
//
// It differs on purpose where a selector fails on a device: Kubernetes does not care
// while it finds others first, ours sends nobody who would need it to that node.
package devices

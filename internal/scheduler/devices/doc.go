// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package devices counts what dynamic resource allocation (resource.k8s.io) hands out:
// how many devices of each class every node has, and which of them claims hold. It
// allocates nothing; Kubernetes' own scheduler does.
//
// A [Census] is told of DeviceClasses, ResourceSlices and ResourceClaims, in any order,
// and of what gangs ask for. It puts everything as resources of nodes, so that whoever
// places gangs needs to know nothing of devices:
//
//   - a class is the resource CLASS.deviceclass.resource.k8s.io/devices, as a ResourceQuota
//     names it;
//   - a request with selectors of its own asks for that, and for a narrower resource
//     beside it, "... where EXPRESSION";
//   - where devices are of several classes, numbers of each class alone would promise
//     them twice: resources that stand for the union, "devices of A or B", are asked for
//     beside them (pools.go says which are enough).
//
// Selectors are evaluated by upstream's own library, when a class, a request or the slices
// of a node change, and only for those.
//
// # Limits
//
// Counted are devices on one node that are handed out whole. Those that are reached
// from several nodes, that share counters with others, or that are allocated several
// times at once are not, nor is a device with a taint that nobody has yet. What is asked for
// must be a number of devices of a class; package podset refuses what else a claim may say.
package devices

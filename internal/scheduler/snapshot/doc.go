// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package snapshot is what the scheduler decides from, as a value: nodes, namespaces,
// projects, gangs, pods and what those mount, of a cluster at one moment.
//
// It comes from the API server ([Fetch]), from a file ([Read]) or from the memory of
// a scheduler that runs, and can be written down ([Snapshot.Write]) as a Kubernetes
// List, the same that
//
//	kubectl get nodes,namespaces,pods,projects,gangs,priorityclasses -A -o json
//
// prints; claims, volumes, storage classes, pod groups, and device classes, resource slices and
// resource claims may be in it, too. What is written holds what decisions are made from and no more: no
// commands, no environment, no images, nothing that was meant for somebody else.
//
// A snapshot is not decided on here: scheduler.Decide does that, with the code of the
// live scheduler.
package snapshot

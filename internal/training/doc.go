// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package training is the job engine: it turns a training job of any framework
// into a Gang, waits until the scheduler has placed the gang whole, makes the
// pods on their nodes, and writes the job's status as the job's users know it.
//
//	observe.go  fetches: the job, its gang, pods and services. In claim.go it also
//	            makes what it fetches the job's, or lets it go: what is decided
//	            is about the job's own objects, so whose they are comes first
//	decide.go   decides, without I/O: observed -> plan
//	apply.go    carries the plan out, in the order of its fields
//
// What differs from kind to kind is in package frameworks.
//
// # What the engine promises
//
//   - No pod is made while the gang waits, and the first ones only when the
//     placement covers every pod set (its minimum, for elastic ones). A gang that
//     lost its place loses its pods, and so does one that the API server lets
//     have a part of them only, unless it is under way; one that lost a node, for which the
//     scheduler has no other yet, keeps them.
//   - A pod's name is its rank: <job>-<type>-<index>. Two pods of one rank can
//     therefore never exist, however stale a cache is; a pod that goes is made
//     again at the same rank.
//   - Deletions name the UID that was decided upon, and the status is patched
//     against the version that was read. An outdated decision fails, it never
//     does harm.
//   - A job that has finished stays finished. The end is written before anything
//     is cleaned up, so a crash in between cannot start the job again.
//
// # What the API server is spared
//
// A job of n pods that starts smoothly costs it a Gang and a decision on that, n pods,
// n services and one status, hold.go says how, and that comes after the starts of others
// (defer.go); a job of one pod no service either
// (services.go). No event tells what a condition tells of a job that never waited.
//
// # Nodes that do not answer
//
// When a rank was placed elsewhere, or its pod should have gone by now, and the
// node of that pod is gone or does not answer, the pod is deleted by force: nobody
// would ever report it gone. Nothing proves that its containers have ended. On a
// node that is only cut off they run on until it is back, so that for a while two
// processes may hold the same rank. They do not share a rendezvous, since the pod's
// name resolves to the new one alone, but they may share a volume that is reached
// over the network: write checkpoints under a new name and rename them. A job
// that would rather wait than risk it tolerates node.kubernetes.io/unreachable
// with the effect NoExecute, for tolerationSeconds or for good.
//
// # Whose fault a dead pod is
//
// A pod that the kubelet refused (OutOfcpu, NodeAffinity, ...), that was
// preempted, or whose node went away is made again whatever the restart policy
// says, and is never counted. Every other failed pod, an evicted one included,
// falls under the replica's restart policy. Both are repeated with a growing
// delay; how often is kept on the Gang, see ledger.go.
package training

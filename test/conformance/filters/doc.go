// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package filters holds the scheduler to what Kubernetes means: its tests make
// random clusters and pods, ask the filters of Kubernetes' own scheduler about
// every node, and ask ours. The two must agree.
//
// Both start from the same objects. A pod goes to Kubernetes as its API server
// would store it, with defaults; ours gets the pod template as it is in a job, so
// that what becomes of a template on the way is compared, too.
//
// Where ours differs on purpose:
//
//   - A node affinity that cannot be parsed, such as Gt with a word, makes
//     Kubernetes ignore the term in silence. Ours refuses the gang and says why.
//   - A toleration with tolerationSeconds lets Kubernetes send a new pod to a node
//     with a NoExecute taint, which evicts it again after that time. Ours keeps what
//     is there for so long, and sends nothing new.
//   - A node that is not ready takes nothing new, tainted or not yet.
//   - Quantities are cut off at 2^50, which is above what any machine has.
package filters

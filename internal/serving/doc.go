// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package serving keeps the replicas of every Model running: a Deployment of
// its engine, a headless Service whose EndpointSlices the front door routes by,
// and a status that says in people's words whether the model answers and, if
// not, why.
//
//	observe.go     fetches: the model, what was made for it, its pods, its claim
//	deployment.go  what should be there, without I/O (pod.go, service.go)
//	apply.go       makes it so, and writes nothing when it is so already
//	judge.go       what to say about it, without I/O (faults.go)
//
// # What the controller promises
//
//   - A change rolls: a new replica answers before an old one goes. An old one is
//     left alone for a few seconds, in which the front door sees it leave the
//     EndpointSlice and sends it nothing new; then it gets SIGTERM and GracePeriod
//     to finish what it has begun.
//   - Zero replicas keep the Service, so the endpoint keeps its name and says
//     why it does not answer.
//   - What has the name of something that we would make, but is not the
//     Model's, is left alone, and the Model says so.
//   - The status is patched against the version that was read, and only on a
//     change.
package serving

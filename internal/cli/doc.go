// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of slipway: one file for each verb, each thin.
//
// A verb reads its flags, talks to the cluster, and says what happened and what to
// do next. What is behind the verbs is in folders of its own:
//
//	connect   which cluster, and clients for it
//	objects   objects, from flags
//	manifest  objects, from files
//	workload  how jobs and models are, in the controllers' own words
//	live      pictures of workloads that stay up to date
//	follow    logs
//	why       why one object waits, or where it runs
//	waiting   what waits for its turn
//	top       what takes the room of the cluster
//	whatif    questions about a cluster, as simulations
//	keys      keys of the front door
//	openai    a client of what the front door serves
//
// The verbs of the embedded Kubernetes (up, down, status and so on) belong to
// another program, slipway-kube; here they are names that hand over to it.
//
// Every error is one line, "slipway: cause; fix", and the exit code is 1, or 2
// when the command line itself is wrong, or 130 after Ctrl-C.
package cli

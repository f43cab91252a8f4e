// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package embedded is the house of the embedded Kubernetes, the program
// slipway-kube: upstream's own components, started from one file as a few
// supervised processes.
//
//	cluster       the shape of one cluster on this machine: paths, addresses, nodes
//	boot          the wiring: which steps and processes, in which order
//	supervise     runs a graph of steps and keeps processes alive
//	role          what one of these processes does
//	control       how commands talk to the supervisor
//	datastore     etcd
//	controlplane  API server, controller manager, scheduler, metrics API
//	containerd    containerd and its configuration
//	node          kubelet and service proxy
//	turn          kubelets of a machine start one after the other
//	network       links, routes, CNI configuration
//	policy        NetworkPolicy
//	dns           cluster DNS
//	storage       volumes on the local disk
//	images        importing, listing and making images
//	manifests     what is applied to every new cluster
//	pki           certificates and keys
//	journal       what was changed on the machine, and its undoing
//	doctor        what the machine must have
//	command       the command line
//
// Processes, not goroutines, because upstream's components end the process when
// they fail and share package-level state: one failure must not be everybody's.
// The API server lives with its datastore, the controllers with the scheduler,
// the kubelet with the service proxy. Each reads the same cluster file, tells
// its supervisor over an inherited descriptor that it is ready, and ends with it.
package embedded

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package connect chooses the cluster that a command talks to, opens clients
// for it, and says in one line why a cluster did not do what was asked.
//
// The kubeconfig is the first there is of: --kubeconfig, $KUBECONFIG, the one
// that "slipway up" left in the data directory, ~/.kube/config, and, within a
// pod, the pod's own account.
package connect

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import "k8s.io/client-go/tools/events"

// Told takes the events from a recorder that were sent since they were last taken, in order. Each begins
// with its type and its reason.
func Told(r *events.FakeRecorder) []string {
	var told []string
	for len(r.Events) > 0 {
		told = append(told, <-r.Events)
	}
	return told
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// BenchmarkTemplate is what a template that comes costs, with the decision after it, where ten
// thousand pods without a Gang wait for devices that they claim by another one: one that nobody
// names, one that a single pod does, and theirs.
func BenchmarkTemplate(b *testing.B) {
	l := newLedger()
	l.set(newNode("n1", 8, 0))
	l.set(newDeviceClass("gpu", anyGPU))
	l.set(newSlice("n1", "h100"))
	l.set(claimTemplate("gpu", "gpu"))
	for i := range 10_000 {
		l.set(heldBack(fmt.Sprintf("p%05d", i)))
	}
	l.set(heldBack("one", func(p *corev1.Pod) { *p.Spec.ResourceClaims[0].ResourceClaimTemplateName = "one" }))
	l.decide(time.Unix(1, 0))
	for name, template := range map[string]string{"of nobody": "none", "of one": "one", "of all": "gpu"} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				o := claimTemplate(template, "gpu")
				o.Spec.Spec.Devices.Requests[0].Exactly.Count = int64(2 + i%2)
				l.set(o)
				l.decide(time.Unix(1, 0))
			}
		})
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// BenchmarkStock is what 7,500 nodes of 8 devices cost the ledger, which nobody else can have
// meanwhile: to hear of all and decide, and then of a change, with the decision after it.
func BenchmarkStock(b *testing.B) {
	var all []client.Object
	for i := range 7500 {
		node := fmt.Sprintf("n%04d", i)
		kept, err := Slim(cache.TransformStripManagedFields())(newSlice(node, "h100", "h100", "h100", "h100", "h100", "h100", "h100", "h100"))
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, newNode(node, 8, 0), kept.(client.Object))
	}
	all = append(all, newDeviceClass("gpu", anyGPU))
	full := func() *ledger {
		l := newLedger()
		for _, o := range all {
			l.set(o)
		}
		l.decide(time.Unix(1, 0))
		return l
	}
	b.Run("first decision", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			l := newLedger()
			for _, o := range all {
				l.set(o)
			}
			b.StartTimer()
			l.decide(time.Unix(1, 0))
		}
	})
	l := full()
	b.Run("a slice", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			l.set(newSlice("n0017", []string{"h100", "a100"}[:1+i%2]...))
			l.decide(time.Unix(1, 0))
		}
	})
	b.Run("a claim", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			l.set(newClaim("c", "", "n0018", []string{"0", "1"}[:1+i%2]...))
			l.decide(time.Unix(1, 0))
		}
	})
	b.Run("a class", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			l.set(newDeviceClass("h100", onH100))
			l.decide(time.Unix(1, 0))
			l.remove(newDeviceClass("h100", onH100))
			l.decide(time.Unix(1, 0))
		}
	})
	b.Run("a gang with a new selector", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			g := claiming("g", 1, "gpu", fmt.Sprintf("%s && %d == %d", onH100, i, i))
			g.Generation, g.ResourceVersion = int64(i+2), fmt.Sprint(i+2)
			l.set(g)
			l.decide(time.Unix(1, 0))
		}
	})
}

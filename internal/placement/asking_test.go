// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"testing"
)

// TestManyThatAskInVain do not keep the one behind them from what it is guaranteed.
func TestManyThatAskInVain(t *testing.T) {
	p := New()
	for _, kind := range []string{"fast", "slow"} {
		p.SetNode(Node{Name: kind, Ready: true, Allocatable: Resources{"a/gpu": 8, pods: 99}, Labels: map[string]string{"kind": kind}})
	}
	for _, q := range []Queue{{Name: "owner", Quota: []Quota{{Resource: "a/gpu", Guaranteed: 16, Limit: Unlimited}}}, {Name: "borrower"}} {
		if err := p.SetQueue(q); err != nil {
			t.Fatal(err)
		}
	}
	gang := func(key, queue, kind string, gpus, created, protected int64) {
		g := Gang{Key: key, Queue: queue, Created: created, Protected: protected, Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{
			Requests: Resources{"a/gpu": gpus}, Selector: map[string]string{"kind": kind}}}}}
		if err := p.SetGang(g); err != nil {
			t.Fatal(err)
		}
	}
	gang("protected", "borrower", "fast", 8, 1, 3600)
	gang("victim", "borrower", "slow", 8, 1, 0)
	p.Advance(10)
	for i := range int64(2 * evictors) {
		gang(fmt.Sprint("fast", i), "owner", "fast", 1, 20+i, 0)
	}
	gang("slow", "owner", "slow", 1, 100, 0)
	p.Advance(200)
	p.Settle()
	if !p.gangs["slow"].runs() {
		t.Error("it waits, though what it is guaranteed was borrowed")
	}
}

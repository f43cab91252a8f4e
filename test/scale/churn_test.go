// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

func TestLongestGap(t *testing.T) {
	began := time.Unix(100, 0)
	for _, c := range []struct {
		name    string
		seconds []int
		want    time.Duration
	}{
		{"nothing", nil, 0},
		{"the first is late", []int{3, 4}, 3 * time.Second},
		{"between two", []int{1, 2, 6, 7}, 4 * time.Second},
		{"together", []int{0, 0, 0}, 0},
	} {
		var moments []time.Time
		for _, s := range c.seconds {
			moments = append(moments, began.Add(time.Duration(s)*time.Second))
		}
		if got := longestGap(began, moments); got != c.want {
			t.Errorf("%s: longestGap = %s, want %s", c.name, got, c.want)
		}
	}
}

func TestMixed(t *testing.T) {
	gangs, again := mixed(2, 3), mixed(2, 3)
	pods := 0
	for i := range gangs {
		pods += int(gangs[i].Spec.PodSets[0].Count)
		if gangs[i].Name != again[i].Name {
			t.Errorf("gang %d is %s and then %s; the order must be the same", i, gangs[i].Name, again[i].Name)
		}
	}
	if want := 2*largeGang + 3*smallGang; pods != want {
		t.Errorf("%d pods, want %d", pods, want)
	}
}

func TestChurned(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(100+s), 0) }
	// Given up 9 s after the last gang.
	c := churned{began: at(0), ended: at(12), whole: []time.Time{at(1), at(3)}}
	bars := c.bars("", 5)
	if got := bars[0].Value; got != 12 {
		t.Errorf("it took %v s, want 12", got)
	}
	if got := bars[1].Value; got != 9 {
		t.Errorf("the longest gap is %v s, want 9", got)
	}
}

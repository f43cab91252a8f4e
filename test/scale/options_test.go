// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	var usage strings.Builder
	o, err := parse([]string{"-only", "growth", "-growth-nodes", "5,20"}, &usage)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{5, 20}; !slices.Equal(o.growthAt, want) {
		t.Errorf("nodes are %v, want %v", o.growthAt, want)
	}
	if got, want := o.file(), "scale-growth"; got != want {
		t.Errorf("the file is %s, want %s", got, want)
	}
	if _, err := parse([]string{"-growth-nodes", "5,many"}, &usage); err == nil {
		t.Error("a number of nodes that is none is taken")
	}
	if want := []int{500, 2000, 7500}; !slices.Equal(o.decideAt, want) {
		t.Errorf("unset, nodes are %v, want %v", o.decideAt, want)
	}
	if _, err := parse([]string{"-decide-waiting", "0"}, &usage); err == nil {
		t.Error("a size of zero is taken")
	}
	if all, err := parse(nil, &usage); err != nil || all.file() != "scale" {
		t.Errorf("without arguments: %v, %v", all, err)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func compareRulesets() cmp.Options {
	return cmp.Options{cmp.AllowUnexported(ruleset{}, chain{}, set{}, element{}), cmpopts.EquateEmpty()}
}

// TestCompilerAgreesWithModel judges random packets in random clusters twice.
func TestCompilerAgreesWithModel(t *testing.T) {
	for seed := range uint64(2000) {
		checkAgreement(t, seed)
	}
}

func FuzzCompilerAgreesWithModel(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(1_000_000 + seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { checkAgreement(t, seed) })
}

func checkAgreement(t *testing.T, seed uint64) {
	t.Helper()
	w := newWorld(seed)
	in := w.input()
	rules := compile(in)
	for range 100 {
		p := w.packet()
		if want, got := (model{in}).allowed(p), (machine{t, rules}).accepts(p); got != want {
			t.Errorf("seed %d: %v is accepted: %t, want %t", seed, p, got, want)
		}
	}
}

// TestOrderDoesNotMatter shuffles the objects, as informers do.
func TestOrderDoesNotMatter(t *testing.T) {
	for seed := range uint64(200) {
		w := newWorld(seed)
		in := w.input()
		first := compile(in)
		w.Shuffle(len(in.pods), func(i, j int) { in.pods[i], in.pods[j] = in.pods[j], in.pods[i] })
		slices.Reverse(in.namespaces)
		slices.Reverse(in.policies)
		if diff := cmp.Diff(first, compile(in), compareRulesets()); diff != "" {
			t.Fatalf("seed %d: another order gives another ruleset (-first +second):\n%s", seed, diff)
		}
	}
}

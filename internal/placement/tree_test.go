// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestDepth: whoever would make the tree of queues too deep is refused, whether it comes at
// the bottom, at the top or between, and then nothing is known of it.
func TestDepth(t *testing.T) {
	const levels = 3 * maxDepth
	topDown, bottomUp := make([]int, levels), make([]int, levels)
	for i := range levels {
		topDown[i], bottomUp[levels-1-i] = i, i
	}
	for name, order := range map[string][]int{
		"from the top": topDown, "from the bottom": bottomUp, "in any order": rand.New(rand.NewPCG(1, 1)).Perm(levels),
	} {
		t.Run(name, func(t *testing.T) {
			p, refused := New(), 0
			for _, i := range order {
				told := Queue{Name: fmt.Sprint("q", i)}
				if i > 0 {
					told.Parent = fmt.Sprint("q", i-1)
				}
				if err := p.SetQueue(told); err != nil {
					refused++
					want := fmt.Sprintf("parent %s makes the tree of projects %d levels deep, and at most 32 are possible", told.Parent, maxDepth+1)
					if name == "from the top" && !strings.HasPrefix(err.Error(), want) {
						t.Errorf("%s is refused because %v, want %q", told.Name, err, want)
					}
				}
				if deep := p.root.height() - 1; deep > maxDepth {
					t.Fatalf("the tree is %d levels deep after %s", deep, told.Name)
				}
			}
			if refused < 2 || refused > levels-2*maxDepth {
				t.Errorf("%d of %d are refused", refused, levels)
			}
		})
	}
	p := New()
	for i := range maxDepth {
		if err := p.SetQueue(Queue{Name: fmt.Sprint("q", i+1), Parent: fmt.Sprint("q", i)}); i < maxDepth-1 && err != nil || i == maxDepth-1 && err == nil {
			t.Errorf("below one that nobody told of, queue %d: %v", i+1, err)
		}
	}
}

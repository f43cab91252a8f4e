// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "fmt"

// maxDepth of the tree of queues, in levels. What a gang takes is charged to each queue above
// it, and whose turn it is is asked at each level: a deep tree makes every decision dear, for
// everybody. No company has as many levels of teams.
const maxDepth = 32

// validateParent of a queue: the tree must stay one, and no deeper than it may be.
func (p *Picture) validateParent(told Queue) error {
	depth := 1
	for name := told.Parent; name != ""; depth++ {
		if name == told.Name {
			return fmt.Errorf("its parents form a cycle, %s; give one of them another parent", p.circle(told))
		}
		q := p.queues[name]
		if q == nil {
			depth++
			break
		}
		name = q.Parent
	}
	if q := p.queues[told.Name]; q != nil {
		depth += q.height() - 1
	}
	if depth > maxDepth {
		return fmt.Errorf("parent %s makes the tree of projects %d levels deep, and at most %d are possible; give it, or one above or below it, a parent further up",
			told.Parent, depth, maxDepth)
	}
	return nil
}

// circle of a queue whose parents lead back to it, in words.
func (p *Picture) circle(told Queue) string {
	path := told.Name
	for name := told.Parent; ; name = p.queues[name].Parent {
		path += " → " + name
		if name == told.Name {
			return path
		}
	}
}

// height of a queue with those below it, in levels.
func (q *queue) height() int {
	below := 0
	for _, o := range q.below {
		below = max(below, o.height())
	}
	return 1 + below
}

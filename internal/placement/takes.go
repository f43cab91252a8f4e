// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

// Takes says that a node would take one more pod of the shape now.
func (p *Picture) Takes(shape Shape, node string) bool {
	n := p.byName[node]
	if n == nil || !n.known {
		return false
	}
	c := &class{Shape: shape, requests: p.names.perPod(shape.Requests)}
	return c.admits(n) && c.room(n) > 0
}

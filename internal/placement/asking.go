// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

// asking is what gangs have in common of which all ask others in vain to give way, or none.
// To find that out is dear, and done for a few gangs at a time: many that are alike must not
// keep it from those behind them for as long as they wait.
type asking struct {
	hope
	priority int32
}

// asking of a gang; false where more than its wish and its priority decides who gives way.
func (p *Picture) asking(g *gang) (asking, bool) {
	return asking{hope{g.queue, wish{g.shape, p.behind(g)}}, g.Priority}, g.unplaced() && !p.elder(g)
}

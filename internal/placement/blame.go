// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "fmt"

// hostname is the label of which every node is a domain of its own.
const hostname = "kubernetes.io/hostname"

// obstacle that ties to other pods are on a node which has room.
func (t *ties) obstacle(n *node) (obstacle, bool) {
	if t == nil || t.base[n.index].pods == 0 {
		return obstacle{}, false
	}
	for _, r := range t.rules {
		if r.allows(n.index) > 0 {
			continue
		}
		for k, key := range r.keys {
			if r.levels[k].of[n.index] < 0 {
				return obstacle{hurdle: unlabelled, what: key}, true
			}
		}
		hurdle := map[ruleKind]hurdle{away: keptAway, shunned: shunnedThere, near: lonely, even: uneven}[r.kind]
		return obstacle{hurdle: hurdle, what: r.peers, key: r.keys[0]}, true
	}
	return obstacle{}, false
}

// ties in words: "2 nodes already have a pod that this one must keep away from: app=x".
func (g *group) ties(subject, are, have, do string) (string, bool) {
	where := subject + are + " in a " + g.key + " with"
	if g.key == hostname {
		where = subject + "already " + have
	}
	switch g.hurdle {
	case keptAway:
		return fmt.Sprintf("%s a pod that this one must keep away from: %s", where, g.what), true
	case shunnedThere:
		return fmt.Sprintf("%s a pod that keeps this one away, with all that are %s", where, g.what), true
	case lonely:
		if g.key == hostname {
			return fmt.Sprintf("%s%s not have a pod that this one must be near to: %s", subject, do, g.what), true
		}
		return fmt.Sprintf("%s%s not in a %s with a pod that this one must be near to: %s", subject, are, g.key, g.what), true
	case uneven:
		return fmt.Sprintf("%s as many as it may have of the pods that are evenly divided: %s", where, g.what), true
	}
	return "", false
}

// fitting is how many pods of a set would find places now.
func (t *trial) fitting(k int) int64 {
	c := t.g.sets[k].class
	if c.ties == nil && !t.g.queue.limitsKinds() {
		return c.total
	}
	mark := len(t.moves)
	fit := t.takeIn(k, nil, t.need[k])
	t.undo(mark)
	c.sync(t.p)
	return int64(fit)
}

// block says that there is room, and that only ties are in the way.
func (t *ties) block() bool {
	if t == nil {
		return false
	}
	room := false
	for i := range t.base {
		if t.limit(i).pods > 0 {
			return false
		}
		room = room || t.base[i].pods > 0
	}
	return room
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
)

func hand(name, node string, rank int32) *member {
	return &member{name: types.NamespacedName{Namespace: "ns", Name: name}, uid: types.UID(name), set: "s", rank: rank, node: node}
}

// seating in words: "a:0@n1 b:-".
func seating(c *crew) string {
	var words []string
	for _, m := range c.pods {
		word := m.name.Name + ":-"
		if m.seated {
			word = fmt.Sprintf("%s:%d@%s", m.name.Name, m.seat.rank, c.nodeOf(m.seat))
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func on(slots ...placement.Slot) []placement.SetPlacement {
	return []placement.SetPlacement{{Set: "s", Slots: slots}}
}

func TestSeating(t *testing.T) {
	four := on(placement.Slot{Node: "n1", Count: 2}, placement.Slot{Node: "n2", Count: 2})
	for name, tt := range map[string]struct {
		places []placement.SetPlacement
		pods   []*member
		drop   string
		want   string
	}{
		"no places":           {nil, []*member{hand("a", "", -1)}, "", "a:-"},
		"in turn":             {four, []*member{hand("a", "", -1), hand("b", "", -1), hand("c", "", -1)}, "", "a:0@n1 b:1@n1 c:2@n2"},
		"by rank":             {four, []*member{hand("a", "", 3), hand("b", "", 0)}, "", "a:3@n2 b:0@n1"},
		"a rank beyond":       {four, []*member{hand("a", "", 7)}, "", "a:0@n1"},
		"too many":            {on(placement.Slot{Node: "n1", Count: 1}), []*member{hand("a", "", -1), hand("b", "", -1)}, "", "a:0@n1 b:-"},
		"where it is":         {four, []*member{hand("a", "n2", -1), hand("b", "n2", 0)}, "", "a:2@n2 b:3@n2"},
		"where none belongs":  {four, []*member{hand("a", "n3", 1)}, "", "a:-"},
		"the next takes over": {on(placement.Slot{Node: "n1", Count: 1}), []*member{hand("a", "n1", -1), hand("b", "", -1)}, "a", "b:0@n1"},
		"the first by name": {on(placement.Slot{Node: "n1", Count: 1}), []*member{hand("a", "n1", -1), hand("f", "", -1), hand("e", "", -1), hand("d", "", -1), hand("c", "", -1), hand("b", "", -1)},
			"a", "b:0@n1 c:- d:- e:- f:-"},
		"one that is bound":  {on(placement.Slot{Node: "n1", Count: 1}), []*member{hand("a", "n1", -1), hand("b", "", 0), hand("c", "", -1), hand("z", "n1", -1)}, "a", "b:- c:- z:0@n1"},
		"a rank's successor": {four, []*member{hand("a", "n1", 1), hand("b", "", -1), hand("c", "", 1)}, "a", "b:0@n1 c:2@n2"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrew()
			c.move(tt.places)
			for _, m := range tt.pods {
				c.set(m)
			}
			if tt.drop != "" {
				c.drop(types.UID(tt.drop))
				c.fill()
			}
			if diff := cmp.Diff(tt.want, seating(c)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzSeating: whatever comes and goes, nobody has another's place, a bound pod sits
// where it is, and no place is free while somebody could have it.
func FuzzSeating(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7})
	f.Add([]byte{0x10, 0x51, 0x92, 0xd3, 0x14, 0xff, 0x80})
	f.Fuzz(func(t *testing.T, steps []byte) {
		c := newCrew()
		for i, step := range steps {
			name, node := fmt.Sprint("p", step%7), []string{"", "n1", "n2"}[step/7%3]
			switch step >> 6 {
			case 0, 1:
				c.set(hand(name, node, int32(step%5)-1))
			case 2:
				c.drop(types.UID(name))
			case 3:
				c.move(on(placement.Slot{Node: "n1", Count: int32(step % 4)}, placement.Slot{Node: "n2", Count: int32(i % 3)}))
			}
			c.fill()
			check(t, c)
		}
	})
}

func check(t *testing.T, c *crew) {
	t.Helper()
	seats := map[seat]string{}
	for _, m := range c.pods {
		if !m.seated {
			continue
		}
		if other, taken := seats[m.seat]; taken {
			t.Fatalf("%s and %s share rank %d", m.name.Name, other, m.seat.rank)
		}
		seats[m.seat] = m.name.Name
		if node := c.nodeOf(m.seat); node == "" || m.node != "" && node != m.node {
			t.Fatalf("%s is on %q and has a place on %q", m.name.Name, m.node, node)
		}
	}
	if len(seats) != len(c.taken) {
		t.Fatalf("%d places are taken by %d pods", len(c.taken), len(seats))
	}
	rank := int32(0)
	for _, slot := range c.slots("s") {
		for range slot.Count {
			if _, taken := seats[seat{"s", rank}]; !taken {
				for _, m := range c.pods {
					if !m.seated && (m.node == "" || m.node == slot.Node) {
						t.Fatalf("%s has no place, and rank %d on %s is free", m.name.Name, rank, slot.Node)
					}
				}
			}
			rank++
		}
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// hopelessCase is a gang and a cluster, to be asked about again when either is another.
type hopelessCase struct {
	nodes          []int64
	pods           int32
	each           int64
	team, lab      int64
	added, addedOf int64
}

// fits says whether the gang can ever run.
func (c hopelessCase) fits() (Verdict, bool) {
	p := New()
	for i, gpus := range c.nodes {
		p.SetNode(Node{Name: fmt.Sprint("n", i), Ready: true, Allocatable: Resources{"gpu": gpus, "pods": 99}})
	}
	for i := range c.added {
		p.SetNode(Node{Name: fmt.Sprint("added", i), Ready: true, Allocatable: Resources{"gpu": c.addedOf, "pods": 99}})
	}
	_ = p.SetQueue(Queue{Name: "lab", Quota: []Quota{{Resource: "gpu", Limit: c.lab}}})
	_ = p.SetQueue(Queue{Name: "team", Parent: "lab", Quota: []Quota{{Resource: "gpu", Limit: c.team}}})
	_ = p.SetGang(Gang{Key: "g", Queue: "team", Sets: []PodSet{{Name: "w", Count: c.pods, Shape: Shape{Requests: Resources{"gpu": c.each, "pods": 1}}}}})
	v := p.Decide()[0]
	return v, v.State != Never
}

var (
	askLess  = regexp.MustCompile(`ask for at most (\d+) gpu per pod`)
	askFewer = regexp.MustCompile(`ask for at most (\d+) pods?`)
	addNew   = regexp.MustCompile(`add (a node|(\d+) nodes) that ha(?:s|ve) (\d+) gpu`)
	addLike  = regexp.MustCompile(`add (\d+) nodes? like n(\d+)`)
	raise    = regexp.MustCompile(`limit of project (\w+) to (\d+) gpu`)
)

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRemediesHelp: whichever half of a remedy is followed, the gang can run; and asking for
// one more than it allows is too much.
func TestRemediesHelp(t *testing.T) {
	never := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := hopelessCase{pods: 1 + r.Int32N(4), each: 1 + r.Int64N(12), team: 1 + r.Int64N(30), lab: 1 + r.Int64N(30)}
		for range 1 + r.IntN(3) {
			c.nodes = append(c.nodes, 1+r.Int64N(8))
		}
		v, fits := c.fits()
		if fits {
			continue
		}
		never++
		text, more := v.Reason.Remedy, c
		for _, m := range raise.FindAllStringSubmatch(text, -1) {
			if m[1] == "team" {
				more.team = number(t, m[2])
			} else {
				more.lab = number(t, m[2])
			}
		}
		if m := addNew.FindStringSubmatch(text); m != nil {
			more.added, more.addedOf = number(t, "0"+m[2]), number(t, m[3])
			more.added = max(more.added, 1)
		}
		if m := addLike.FindStringSubmatch(text); m != nil {
			more.added, more.addedOf = number(t, m[1]), c.nodes[number(t, m[2])]
		}
		if _, fits := more.fits(); !fits {
			t.Errorf("seed %d: %+v: having more does not help: %s", seed, c, text)
		}
		if m := askLess.FindStringSubmatch(text); m != nil {
			less := c
			for less.each = number(t, m[1]); ; less.each++ {
				if _, fits := less.fits(); fits != (less.each == number(t, m[1])) {
					t.Errorf("seed %d: %+v: %d per pod fits: %t, by: %s", seed, c, less.each, fits, text)
				}
				if less.each > number(t, m[1]) {
					break
				}
			}
		} else if m := askFewer.FindStringSubmatch(text); m != nil && strings.HasPrefix(text, "ask") {
			fewer := c
			fewer.pods = int32(number(t, m[1]))
			if _, fits := fewer.fits(); !fits {
				t.Errorf("seed %d: %+v: fewer pods do not help: %s", seed, c, text)
			}
		}
	}
	if never < 300 {
		t.Errorf("%d gangs can never run, which shows too little", never)
	}
}

// TestRemediesOfSetsHelp: so it is of gangs of several sets on nodes of two kinds, one of which is limited.
func TestRemediesOfSetsHelp(t *testing.T) {
	addSome := regexp.MustCompile(`(\d+) nodes? like n(\d+)`)
	atMost := regexp.MustCompile(`at most (\d+) pods? in pod set (\w)`)
	never, fewer := 0, 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2))
		nodes, added, limit := 1+r.IntN(3), map[int]int64{}, 1+r.Int64N(12)
		g := Gang{Key: "g", Queue: "team"}
		for _, name := range []string{"a", "b", "c"}[:1+r.IntN(3)] {
			shape := Shape{Requests: Resources{"gpu": 1 + r.Int64N(4)}}
			if r.IntN(2) == 0 {
				shape.Selector = map[string]string{"kind": strconv.Itoa(r.IntN(min(nodes, 2)))}
			}
			g.Sets = append(g.Sets, PodSet{Name: name, Count: 1 + r.Int32N(5), Shape: shape})
		}
		verdict := func(sets []PodSet) Verdict {
			p := New()
			node := func(name string, i int) {
				kind := strconv.Itoa(i % 2)
				p.SetNode(Node{Name: name, Kind: kind, Ready: true, Labels: map[string]string{"kind": kind}, Allocatable: Resources{"gpu": 4, pods: 99}})
			}
			for i := range nodes {
				node(fmt.Sprint("n", i), i)
			}
			for i, count := range added {
				for j := range count {
					node(fmt.Sprint("z", i, "-", j), i)
				}
			}
			_ = p.SetQueue(Queue{Name: "team", Quota: []Quota{{Resource: "gpu", Kind: "1", Limit: limit}}})
			_ = p.SetGang(Gang{Key: g.Key, Queue: g.Queue, Sets: sets})
			return p.Decide()[0]
		}
		v := verdict(g.Sets)
		if v.State != Never {
			continue
		}
		never++
		text := v.Reason.Remedy
		if m := atMost.FindStringSubmatch(text); m != nil {
			fewer++
			sets := slices.Clone(g.Sets)
			k := slices.IndexFunc(sets, func(s PodSet) bool { return s.Name == m[2] })
			sets[k].Count = int32(number(t, m[1]))
			if less := verdict(sets); less.State == Never {
				t.Errorf("seed %d: fewer pods do not help: %s, then %s", seed, v.Reason, less.Reason)
			}
		}
		for _, m := range addSome.FindAllStringSubmatch(text, -1) {
			added[int(number(t, m[2]))] += number(t, m[1])
		}
		if m := raise.FindStringSubmatch(text); m != nil {
			limit = number(t, m[2])
		}
		if more := verdict(g.Sets); more.State == Never {
			t.Errorf("seed %d: having more does not help: %s, then %s", seed, v.Reason, more.Reason)
		}
	}
	if never < 300 || fewer < 50 {
		t.Errorf("%d gangs can never run, %d of them with fewer pods, which shows too little", never, fewer)
	}
}

// TestDearRemedy: what takes many trials of a large gang in a large cluster is told without them, and so
// without a number that may not be enough.
func TestDearRemedy(t *testing.T) {
	for nodes, want := range map[int]string{
		4:    "ask for at most 3 pods in pod set second, or add 2 nodes like node-00000",
		4000: "ask for fewer pods in pod sets worker and second, or add nodes like node-00000",
	} {
		p := cluster(nodes)
		g := gpuGang(0, 1, Topology{})
		g.Sets[0].Shape.Requests = Resources{"nvidia.com/gpu": 8}
		second := g.Sets[0]
		second.Name, second.Count = "second", int32(nodes+1)
		g.Sets = append(g.Sets, second)
		if err := p.SetGang(g); err != nil {
			t.Fatal(err)
		}
		if got := p.Decide()[0].Reason.Remedy; got != want {
			t.Errorf("on %d nodes: %q, want %q", nodes, got, want)
		}
	}
}

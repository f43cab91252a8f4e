// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"math/rand/v2"
	"regexp"
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

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"maps"
	"slices"
)

const (
	// maxKinds of runs that are remembered, and maxRecent runs of each.
	maxKinds, maxRecent = 4096, 32
	// minRecent is from how many runs on one can tell how long the next takes.
	minRecent = 3
	// trust in a limit that somebody gave: as if so many runs had kept to it, and one had
	// not, before the first that is seen.
	trust = 9
)

// history is how long the last runs of each kind took.
type history struct {
	kinds map[string]*memory
	noted uint64
}

// memory of runs of one kind.
type memory struct {
	// queue that was charged for the last one.
	queue string
	// noted is the greater the later the last one was.
	noted uint64
	// took so many seconds, the latest last.
	took []int64
}

// note runs of a queue that ended one after the other.
func (h *history) note(queue, kind string, took ...int64) {
	took = slices.DeleteFunc(took, func(t int64) bool { return t < 0 })
	if kind == "" || len(took) == 0 {
		return
	}
	m := h.kinds[kind]
	if m == nil {
		m = h.admit(kind)
	}
	h.noted++
	m.queue, m.noted = queue, h.noted
	m.took = append(m.took, took...)
	m.took = m.took[max(len(m.took)-maxRecent, 0):]
}

// admit a kind, in the place of the one of which nothing was heard for longest.
func (h *history) admit(kind string) *memory {
	if h.kinds == nil {
		h.kinds = map[string]*memory{}
	}
	if len(h.kinds) >= maxKinds {
		delete(h.kinds, slices.MinFunc(slices.Collect(maps.Keys(h.kinds)), func(a, b string) int {
			return cmp.Compare(h.kinds[a].noted, h.kinds[b].noted)
		}))
	}
	m := &memory{}
	h.kinds[kind] = m
	return m
}

// of the kind of a gang, the seconds that its last runs took.
func (h *history) of(kind string) []int64 {
	if m := h.kinds[kind]; m != nil {
		return m.took
	}
	return nil
}

// runTime is how long a gang is expected to run at most, in seconds, and how sure that
// is, between 0 and 1; zero when nobody knows.
//
// That is its limit, as sure as earlier runs of its kind kept to it (Laplace's rule of
// succession). Without one it is the longest of them: of n+1 runs that nothing tells
// apart the last one is the longest once in n+1 times.
func (h *history) runTime(g *gang) (int64, float64) {
	runs := h.of(g.Kind)
	if g.Limit > 0 {
		kept := 0
		for _, took := range runs {
			if took <= g.Limit {
				kept++
			}
		}
		return g.Limit, float64(kept+trust) / float64(len(runs)+trust+1)
	}
	expected := Expect(runs)
	if expected == 0 {
		return 0, 0
	}
	return expected, float64(len(runs)) / float64(len(runs)+1)
}

// Expect how long a run of a kind takes at most, in seconds, of which the last ones took so
// long; zero when these are too few to tell.
func Expect(took []int64) int64 {
	if len(took) < minRecent {
		return 0
	}
	return slices.Max(took)
}

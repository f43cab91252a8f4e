// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

const (
	// maxKinds of runs that are remembered, and maxRecent runs of each.
	maxKinds, maxRecent = 4096, 32
	// minRecent is from how many runs on one can tell how long the next takes.
	minRecent = 3
	// trust in a limit that somebody gave: as if so many runs had kept to it, and one had
	// not, before the first that is seen.
	trust = 9
)

// history is how long the last runs of each kind took, in seconds.
type history struct {
	recent map[string][]int64
	kinds  []string // longest known first
}

// note a run that ended.
func (h *history) note(kind string, took int64) {
	if kind == "" || took < 0 {
		return
	}
	if h.recent == nil {
		h.recent = map[string][]int64{}
	}
	if h.recent[kind] == nil {
		if h.kinds = append(h.kinds, kind); len(h.kinds) > maxKinds {
			delete(h.recent, h.kinds[0])
			h.kinds = h.kinds[1:]
		}
	}
	runs := append(h.recent[kind], took)
	h.recent[kind] = runs[max(len(runs)-maxRecent, 0):]
}

// runTime is how long a gang is expected to run at most, in seconds, and how sure that
// is, between 0 and 1; zero when nobody knows.
//
// That is its limit, as sure as earlier runs of its kind kept to it (Laplace's rule of
// succession). Without one it is the longest of them: of n+1 runs that nothing tells
// apart the last one is the longest once in n+1 times.
func (h *history) runTime(g *gang) (int64, float64) {
	runs := h.recent[g.Kind]
	if g.Limit > 0 {
		kept := 0
		for _, took := range runs {
			if took <= g.Limit {
				kept++
			}
		}
		return g.Limit, float64(kept+trust) / float64(len(runs)+trust+1)
	}
	if len(runs) < minRecent {
		return 0, 0
	}
	return slices.Max(runs), float64(len(runs)) / float64(len(runs)+1)
}

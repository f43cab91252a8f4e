// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"maps"
	"slices"
	"strings"

	"slipway.dev/slipway/internal/placement"
)

// step of what is told over time, in seconds.
const step = 3600

// nobody is the project that is charged for pods of no gang: none has that name.
const nobody = "/"

// never is no moment.
const never = int64(-1)

// meter counts what there is and what is used, resource by resource. Products of
// amounts and seconds are floating: bytes times weeks do not fit an integer.
type meter struct {
	start, now int64
	names      []string
	index      map[string]int
	nodes      map[string][]amount
	// offered and used now, by resource; spent is the latter by project.
	offered, used vector
	byQueue       map[string]vector
	total         []Use
	spent         map[string][][]float64 // by project, resource and step
}

// amount of one resource.
type amount struct {
	at int
	n  int64
}

type vector []int64

func (v *vector) add(list []amount, sign int64) {
	for _, a := range list {
		for a.at >= len(*v) {
			*v = append(*v, 0)
		}
		(*v)[a.at] += sign * a.n
	}
}

func newMeter(start int64) *meter {
	return &meter{
		start: start, now: start, index: map[string]int{}, nodes: map[string][]amount{},
		byQueue: map[string]vector{}, spent: map[string][][]float64{},
	}
}

func (m *meter) of(name string) int {
	i, known := m.index[name]
	if !known {
		i = len(m.names)
		m.index[name] = i
		m.names = append(m.names, name)
		m.total = append(m.total, Use{})
	}
	return i
}

// amounts of resources, in the order of their names.
func (m *meter) amounts(r placement.Resources) []amount {
	var list []amount
	for _, name := range sortedKeys(r) {
		if n := r[name]; n > 0 && name != "pods" {
			list = append(list, amount{m.of(name), n})
		}
	}
	return list
}

// measure a gang: its size, and what it asks for in all.
func measure(g *placement.Gang) (int64, placement.Resources) {
	sum, devices := placement.Resources{}, int64(0)
	for _, s := range g.Sets {
		for name, n := range s.Shape.Requests {
			sum[name] += n * int64(s.Count)
			if strings.Contains(name, "/") && !placement.Beside(name) {
				devices += n * int64(s.Count)
			}
		}
	}
	if devices == 0 {
		return pods(g), sum
	}
	return devices, sum
}

// pods of a gang, all of them.
func pods(g *placement.Gang) int64 {
	n := int64(0)
	for _, s := range g.Sets {
		n += int64(s.Count)
	}
	return n
}

// fewest pods with which a gang runs.
func fewest(g *placement.Gang) int64 {
	n := pods(g)
	for _, s := range g.Sets {
		n -= int64(s.Optional)
	}
	return n
}

// setNode counts what a node has while it is well.
func (m *meter) setNode(n placement.Node) {
	m.dropNode(n.Name)
	if n.Ready {
		m.nodes[n.Name] = m.amounts(n.Allocatable)
		m.offered.add(m.nodes[n.Name], 1)
	}
}

func (m *meter) dropNode(name string) {
	m.offered.add(m.nodes[name], -1)
	delete(m.nodes, name)
}

// use so much from now on, or no longer with -1.
func (m *meter) use(list []amount, sign int64, queue string) {
	m.used.add(list, sign)
	v := m.byQueue[queue]
	v.add(list, sign)
	m.byQueue[queue] = v
}

// waste what was used for so many seconds.
func (m *meter) waste(list []amount, seconds int64) {
	at := int((m.now - m.start) / step)
	for _, a := range list {
		grow(&m.total[a.at].Wasted, at)[at] += float64(a.n) * float64(seconds)
	}
}

// advance to a moment.
func (m *meter) advance(to int64) {
	for m.now < to {
		at := int((m.now - m.start) / step)
		end := min(to, m.start+int64(at+1)*step)
		seconds := float64(end - m.now)
		for i := range m.total {
			grow(&m.total[i].Offered, at)[at] += m.offered.at(i) * seconds
			grow(&m.total[i].Used, at)[at] += m.used.at(i) * seconds
		}
		for queue, v := range m.byQueue {
			spent := m.spent[queue]
			for len(spent) < len(m.names) {
				spent = append(spent, nil)
			}
			for i := range v {
				grow(&spent[i], at)[at] += v.at(i) * seconds
			}
			m.spent[queue] = spent
		}
		m.now = end
	}
}

func (v vector) at(i int) float64 {
	if i < len(v) {
		return float64(v[i])
	}
	return 0
}

// grow a list so that it reaches an index.
func grow(list *[]float64, index int) []float64 {
	for index >= len(*list) {
		*list = append(*list, 0)
	}
	return *list
}

func (m *meter) totals() map[string]Use {
	out := map[string]Use{}
	for i, name := range m.names {
		out[name] = m.total[i]
	}
	return out
}

// projects are what each project used of each resource, by step.
func (m *meter) projects() map[string]map[string][]float64 {
	out := map[string]map[string][]float64{}
	for queue, spent := range m.spent {
		out[queue] = map[string][]float64{}
		for i, list := range spent {
			if len(list) > 0 {
				out[queue][m.names[i]] = list
			}
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

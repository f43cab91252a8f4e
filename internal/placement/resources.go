// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"maps"
	"slices"
	"strings"
)

// Resources by name: cpu in thousandths of a core, all others in their own unit
// (bytes, devices).
type Resources map[string]int64

const (
	cpu = "cpu"
	// pods is asked for by every pod without saying so.
	pods = "pods"
	// maxQuantity is above what any machine has, and far enough below the
	// largest integer that thousands of such requests can be added up.
	maxQuantity = int64(1) << 50
)

// names numbers resource names so that vectors can be slices.
type names struct {
	index map[string]int
	list  []string
}

func (n *names) of(name string) int {
	i, ok := n.index[name]
	if !ok {
		i = len(n.list)
		n.index[name] = i
		n.list = append(n.list, name)
	}
	return i
}

// amount of one resource.
type amount struct {
	at int // index of the name
	n  int64
}

// amounts are in the order of names, so that what is explained with them does
// not depend on which name was met first.
func (n *names) amounts(r Resources) []amount {
	list := make([]amount, 0, len(r)+1)
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if r[name] > 0 {
			list = append(list, amount{n.of(name), min(r[name], maxQuantity)})
		}
	}
	return list
}

// perPod are the requests of one pod, itself included.
func (n *names) perPod(r Resources) []amount {
	r = maps.Clone(r)
	if r == nil {
		r = Resources{}
	}
	r[pods] = 1
	return n.amounts(r)
}

// vector holds quantities by index of the name; what is beyond its end is zero.
type vector []int64

func (v vector) at(i int) int64 {
	if i < len(v) {
		return v[i]
	}
	return 0
}

func (v *vector) add(i int, n int64) {
	for i >= len(*v) {
		*v = append(*v, 0)
	}
	(*v)[i] += n
}

func (v *vector) plus(o vector) {
	for i, n := range o {
		v.add(i, n)
	}
}

// meets says that there is some of a resource in both.
func (v vector) meets(o vector) bool {
	for i, n := range v {
		if n > 0 && o.at(i) > 0 {
			return true
		}
	}
	return false
}

func (v vector) zero() bool {
	for _, n := range v {
		if n != 0 {
			return false
		}
	}
	return true
}

// IsDevice tells what a node has few of and other nodes lack: resources with a domain, but
// for Kubernetes' own, of which only those are devices that name a class of them.
func IsDevice(resource string) bool {
	domain, _, has := strings.Cut(resource, "/")
	return has && (!strings.HasSuffix(domain, "kubernetes.io") || domain == "deviceclass.resource.kubernetes.io")
}

// Beside says that a resource is counted beside one that was asked for by name, so that
// nobody is told of it who is told of that one: its name is several words, such as "gpu
// where fast" and "gpu or tpu".
func Beside(name string) bool { return strings.Contains(name, " ") }

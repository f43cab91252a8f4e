// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"testing"
)

// world is what a Picture is told, kept apart from it.
type world struct {
	t        *testing.T
	data     []byte
	p        *Picture
	nodes    map[string]Node
	pods     map[string]Pod
	gangs    map[string]Gang
	queues   map[string]Queue
	verdicts []Verdict
	latest   map[string]Verdict
	restored map[string]bool // gangs whose first places came from elsewhere
	now      int64

	namespaces map[string]map[string]string
}

func newWorld(t *testing.T, data []byte) *world {
	w := &world{
		t: t, data: data, p: New(),
		nodes: map[string]Node{}, pods: map[string]Pod{}, gangs: map[string]Gang{}, queues: map[string]Queue{}, latest: map[string]Verdict{}, restored: map[string]bool{}, now: 1, namespaces: map[string]map[string]string{},
	}
	w.p.Patience, w.p.keepIdle, w.p.Lease = 3, 2, Overrun
	w.p.Elapse(w.now)
	return w
}

// n takes a number below limit from the input.
func (w *world) n(limit int) int {
	if len(w.data) == 0 {
		return 0
	}
	b := w.data[0]
	w.data = w.data[1:]
	return int(b) % limit
}

func (w *world) step() bool {
	if len(w.data) == 0 {
		return false
	}
	switch w.n(16) {
	case 0, 1:
		n := w.node()
		w.nodes[n.Name] = n
		w.p.SetNode(n)
	case 2:
		name := w.nodeName()
		delete(w.nodes, name)
		w.p.DeleteNode(name)
	case 3:
		pod := w.pod()
		w.pods[pod.Key] = pod
		w.p.Bind(pod)
	case 4:
		key := fmt.Sprint("p", w.n(12))
		delete(w.pods, key)
		w.p.Unbind(key)
	case 5, 6:
		w.setGang(w.gang())
	case 7:
		key := fmt.Sprint("g", w.n(6))
		delete(w.gangs, key)
		delete(w.latest, key)
		w.p.DeleteGang(key)
	case 8:
		w.p.Refresh(w.n(4))
	case 9:
		w.now += int64(w.n(3))
		w.p.Elapse(w.now)
	case 10:
		w.setQueue(w.queue())
	case 11:
		w.plan()
	case 12:
		w.evict()
	case 13:
		name := fmt.Sprint("q", w.n(4))
		delete(w.queues, name)
		w.p.DeleteQueue(name)
	case 14:
		w.namespaces[namespace] = w.podLabels()
		w.p.SetNamespace(namespace, w.namespaces[namespace])
	default:
		w.decide()
	}
	w.consistent()
	return true
}

func (w *world) setGang(g Gang) {
	if _, known := w.gangs[g.Key]; !known {
		delete(w.latest, g.Key)
		w.restored[g.Key] = len(g.Placement) > 0
	}
	w.gangs[g.Key] = g
	if err := w.p.SetGang(g); err != nil {
		w.t.Fatalf("setting gang: %v", err)
	}
}

func (w *world) setQueue(q Queue) {
	if err := w.p.SetQueue(q); err == nil {
		w.queues[q.Name] = q
	}
}

// queue of a random name and parent, perhaps one that makes a cycle.
func (w *world) queue() Queue {
	q := Queue{Name: fmt.Sprint("q", w.n(4)), Weight: int64(w.n(3))}
	if w.n(2) == 0 {
		q.Parent = fmt.Sprint("q", w.n(4))
	}
	for _, kind := range []string{"", "k0", "k1"} {
		if w.n(3) == 0 {
			q.Quota = append(q.Quota, Quota{Resource: "cpu", Kind: kind, Guaranteed: int64(w.n(6)) * 500, Limit: int64(4+w.n(12)) * 500})
		}
	}
	return q
}

func (w *world) nodeName() string { return fmt.Sprint("n", w.n(6)) }

func (w *world) node() Node {
	n := Node{
		Name: w.nodeName(), Ready: w.n(5) > 0, Cordoned: w.n(6) == 0,
		Labels:      map[string]string{"zone": string(rune('a' + w.n(2)))},
		Allocatable: Resources{"cpu": int64(w.n(8)) * 500, "pods": int64(2 + w.n(6))},
		Kind:        []string{"", "k0", "k1"}[w.n(3)],
	}
	if w.n(2) == 0 {
		n.Allocatable["x/gpu"] = int64(w.n(5))
	}
	if w.n(6) > 0 {
		n.Labels[hostname] = n.Name
	}
	switch w.n(6) {
	case 0:
		n.Taints = []Taint{{Key: "dedicated", Effect: NoSchedule}}
	case 1:
		n.Taints = []Taint{{Key: "dedicated", Effect: NoExecute, Since: w.now + 1}}
	}
	return n
}

func (w *world) pod() Pod {
	pod := Pod{Key: fmt.Sprint("p", w.n(12)), Node: w.nodeName(), Requests: w.requests()}
	if w.n(2) == 0 {
		pod.Gang, pod.Set, pod.Rank = fmt.Sprint("g", w.n(6)), fmt.Sprint("s", w.n(2)), int32(w.n(3))
	}
	if w.n(4) == 0 {
		pod.HostPorts = []HostPort{{Port: 80, Protocol: "TCP"}}
	}
	pod.Namespace, pod.Labels, pod.Leaving = namespace, w.podLabels(), w.n(5) == 0
	if pod.Leaving {
		pod.Until = w.now + int64(w.n(4))*100
	}
	if w.n(5) == 0 {
		pod.Apart = []PeerTerm{w.peerTerm()}
	}
	return pod
}

func (w *world) requests() Resources {
	r := Resources{"cpu": int64(w.n(4)) * 500}
	if w.n(3) == 0 {
		r["x/gpu"] = int64(1 + w.n(2))
	}
	return r
}

func (w *world) gang() Gang {
	g := Gang{Key: fmt.Sprint("g", w.n(6)), Priority: int32(w.n(2)), Created: int64(w.n(4)), Limit: int64(w.n(4)) * 100, Checkpointed: int64(w.n(2)), Protected: int64(w.n(2))}
	if w.n(3) == 0 {
		g.Queue, g.User = fmt.Sprint("q", w.n(4)), fmt.Sprint("u", w.n(2))
	}
	for k := range 1 + w.n(2) {
		s := PodSet{Name: fmt.Sprint("s", k), Count: int32(w.n(6)), Shape: Shape{Requests: w.requests()}}
		s.Namespace, s.Labels = namespace, w.podLabels()
		switch w.n(16) {
		case 7:
			s.Shape.Apart = []PeerTerm{w.peerTerm()}
		case 8:
			s.Shape.Apart = []PeerTerm{{w.peers(), "zone"}, {w.peers(), hostname}}
		case 9:
			s.Shape.Near = []PeerTerm{w.peerTerm()}
		case 10:
			s.Shape.Even = []Evenness{{Peers: w.peers(), Key: w.topologyKey(), MaxSkew: int32(1 + w.n(2)), MinDomains: int32(w.n(3))}}
		case 12:
			s.Shape.PreferredPeers = []PeerPreference{{w.peerTerm(), int32(w.n(3) - 1), w.n(2) == 0}, {w.peerTerm(), -1, true}}
		case 11:
			s.Shape.Near, s.Shape.Apart = []PeerTerm{{w.peers(), "zone"}}, []PeerTerm{{w.peers(), hostname}}
		case 0:
			s.Topology = Topology{Required: "zone"}
		case 1:
			s.Topology = Topology{Preferred: "zone"}
		case 5:
			s.Topology = Topology{SliceLabel: "zone", Slice: int32(1 + w.n(3))}
		case 6:
			s.Spread = true
		case 2:
			s.Shape.Selector = map[string]string{"zone": "a"}
		case 3:
			s.Shape.Tolerations = []Toleration{{Key: "dedicated", AnyValue: true, Limited: w.n(2) == 0, Seconds: int64(w.n(3))}}
		case 4:
			s.Shape.HostPorts = []HostPort{{Port: 80, Protocol: "TCP"}}
		}
		if w.n(3) == 0 && s.Count > 0 {
			s.Optional = int32(w.n(int(s.Count) + 1))
		}
		g.Sets = append(g.Sets, s)
	}
	if w.n(4) == 0 {
		g.Waits = w.n(3) == 0
		g.Unfinished = w.n(4) == 0
		g.Placement = []SetPlacement{{"s0", []Slot{{w.nodeName(), int32(w.n(3))}, {w.nodeName(), 1}}}}
	}
	return g
}

// where counts the pods that a gang holds room for, by set and node.
type where struct {
	gang string
	set  int
	node string
}

func (w *world) held() map[where]int32 {
	held := map[where]int32{}
	for key, g := range w.p.gangs {
		for k, s := range g.sets {
			for _, slot := range s.slots {
				if slot.held {
					held[where{key, k, slot.node}] += slot.count
				}
			}
		}
	}
	return held
}

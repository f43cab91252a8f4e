// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"maps"
	"testing"
)

// cluster of nodes with 8 GPUs in racks of 16.
func cluster(nodes int) *Picture {
	p := New()
	for i := range nodes {
		p.SetNode(Node{
			Name: fmt.Sprintf("node-%05d", i), Ready: true,
			Labels:      map[string]string{"rack": fmt.Sprint("rack-", i/16), "gpu": "h100"},
			Allocatable: Resources{cpu: 128000, "memory": 1 << 40, "nvidia.com/gpu": 8, pods: 110},
		})
	}
	return p
}

func gpuGang(i int, count int32, topology Topology) Gang {
	return Gang{Key: fmt.Sprintf("ns/gang-%06d", i), Created: int64(i), Sets: []PodSet{{
		Name: "worker", Count: count, Topology: topology,
		Shape: Shape{
			Requests: Resources{cpu: 4000, "memory": 32 << 30, "nvidia.com/gpu": 1},
			Selector: map[string]string{"gpu": "h100"},
		},
	}}}
}

func tell(b *testing.B, p *Picture, g Gang) {
	if err := p.SetGang(g); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkToFull decides gangs until 7,500 nodes with 8 GPUs are full, each gang
// in a pass of its own, and reports pods decided per second.
func BenchmarkToFull(b *testing.B) {
	for _, mix := range []struct {
		name  string
		sizes []int32
	}{
		{"one", []int32{1}},
		{"eight", []int32{8}},
		{"mixed", []int32{1, 64, 4, 256, 16, 8, 512, 2, 32, 128}},
	} {
		b.Run(mix.name, func(b *testing.B) {
			placed := int32(0)
			for b.Loop() {
				b.StopTimer()
				p := cluster(7500)
				b.StartTimer()
				for i, left := 0, int32(60000); left > 0; i++ {
					count := min(mix.sizes[i%len(mix.sizes)], left)
					tell(b, p, gpuGang(i, count, Topology{}))
					if v := p.Decide(); len(v) != 1 || v[0].State != Placed {
						b.Fatalf("gang %d of %d: %v", i, count, v)
					}
					left -= count
					placed += count
				}
			}
			b.ReportMetric(float64(placed)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

// BenchmarkTopology places gangs of 500 and of 4 with a rack or rows of racks.
func BenchmarkTopology(b *testing.B) {
	for _, c := range []struct {
		count    int32
		topology Topology
	}{{512, Topology{Preferred: "rack"}}, {4, Topology{Required: "rack"}}} {
		b.Run(fmt.Sprintf("%d", c.count), func(b *testing.B) {
			p, i := cluster(5000), 0
			for b.Loop() {
				tell(b, p, gpuGang(i, c.count, c.topology))
				p.Decide()
				p.DeleteGang(gpuGang(i, 0, Topology{}).Key)
				i++
			}
			b.ReportMetric(float64(c.count)*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

// BenchmarkVerdictOnFull is what it costs to say why a gang of a new shape waits.
func BenchmarkVerdictOnFull(b *testing.B) {
	p := cluster(7500)
	tell(b, p, gpuGang(0, 60000, Topology{}))
	p.Decide()
	i := 1
	for b.Loop() {
		g := gpuGang(i, 80, Topology{})
		g.Sets[0].Shape.Requests = Resources{cpu: int64(i), "nvidia.com/gpu": 1}
		tell(b, p, g)
		if v := p.Decide(); len(v) != 1 || v[0].State != Waiting {
			b.Fatal(v)
		}
		p.DeleteGang(g.Key)
		i++
	}
}

// BenchmarkWaiting is what one pod that ends costs while so many gangs of ten
// sizes wait for more than that.
func BenchmarkWaiting(b *testing.B) {
	for _, waiting := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(waiting), func(b *testing.B) {
			p := cluster(7500)
			for i := range 7500 {
				p.Bind(Pod{Key: fmt.Sprint("pod-", i), Node: p.nodes[i].Name, Requests: Resources{"nvidia.com/gpu": 8}})
			}
			for i := range waiting {
				tell(b, p, gpuGang(i, int32(16+i%10), Topology{}))
			}
			p.Decide()
			i := 0
			for b.Loop() {
				pod := Pod{Key: fmt.Sprint("pod-", i%7500), Node: p.nodes[i%7500].Name, Requests: Resources{"nvidia.com/gpu": 8}}
				p.Unbind(pod.Key)
				if v := p.Decide(); len(v) != 0 {
					b.Fatal(v)
				}
				p.Bind(pod)
				i++
			}
		})
	}
}

// BenchmarkPlan is what a plan costs on a full cluster of 7,500 nodes on which so
// many gangs run and a thousand wait, and BenchmarkEvict what it costs to find who
// gives way to a gang of 250.
func BenchmarkPlan(b *testing.B) {
	for _, running := range []int{500, 7500, 60000} {
		b.Run(fmt.Sprint(running), func(b *testing.B) {
			p := full(b, running)
			for b.Loop() {
				if p.Plan(8) == 0 {
					b.Fatal("nothing was promised")
				}
			}
		})
	}
}

func BenchmarkEvict(b *testing.B) {
	for _, count := range []int32{1, 250} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			p := full(b, 4000)
			if err := p.SetQueue(Queue{Name: "owed", Quota: []Quota{{Resource: "nvidia.com/gpu", Guaranteed: 1000, Limit: Unlimited}}}); err != nil {
				b.Fatal(err)
			}
			g := gpuGang(1<<20, count, Topology{})
			g.Queue = "owed"
			tell(b, p, g)
			p.Decide()
			for b.Loop() {
				if victims, _, _ := p.victims(p.gangs[g.Key]); len(victims) == 0 {
					b.Fatal("nobody gives way")
				}
			}
		})
	}
}

// full is a cluster of 7,500 nodes filled by so many gangs of a project, while a
// thousand of various sizes wait.
func full(b *testing.B, running int) *Picture {
	p := cluster(7500)
	if err := p.SetQueue(Queue{Name: "all"}); err != nil {
		b.Fatal(err)
	}
	for i := range running {
		g := gpuGang(i, int32(60000/running), Topology{})
		g.Queue, g.Limit = "all", int64(3600+i)
		tell(b, p, g)
	}
	for i := range 1000 {
		g := gpuGang(running+i, int32(8+i%500), Topology{})
		g.Queue, g.Limit = "all", 3600
		tell(b, p, g)
	}
	p.Decide()
	return p
}

// BenchmarkTies places a gang of 512 whose pods keep apart, one on each node, or are
// evenly divided among racks or nodes.
func BenchmarkTies(b *testing.B) {
	peers := Peers{Labels: []Requirement{{Key: "app", Operator: In, Values: []string{"x"}}}, Namespaces: []string{namespace}}
	for name, shape := range map[string]Shape{
		"apart":        {Apart: []PeerTerm{{peers, hostname}}},
		"even-by-rack": {Even: []Evenness{{Peers: peers, Key: "rack", MaxSkew: 1, MinDomains: 1}}},
		"even-by-node": {Even: []Evenness{{Peers: peers, Key: hostname, MaxSkew: 1, MinDomains: 1}}},
	} {
		b.Run(name, func(b *testing.B) {
			p := cluster(7500)
			for _, n := range p.nodes {
				labels := maps.Clone(n.Labels)
				labels[hostname] = n.Name
				told := n.Node
				told.Labels = labels
				p.SetNode(told)
			}
			for b.Loop() {
				g := gpuGang(0, 512, Topology{})
				shape.Requests = g.Sets[0].Shape.Requests
				g.Sets[0].Shape, g.Sets[0].Namespace, g.Sets[0].Labels = shape, namespace, map[string]string{"app": "x"}
				tell(b, p, g)
				if v := p.Decide(); len(v) != 1 || v[0].State != Placed {
					b.Fatal(v)
				}
				p.DeleteGang(g.Key)
			}
			b.ReportMetric(512*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

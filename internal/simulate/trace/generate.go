// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Shape of a trace that is generated. What is said of GPU clusters is by
//
//   - Helios: Hu et al., "Characterization and Prediction of Deep Learning Workloads in
//     Large-Scale GPU Datacenters", SC 2021;
//   - Philly: Jeon et al., "Analysis of Large-Scale Multi-Tenant GPU Clusters for DNN
//     Training Workloads", USENIX ATC 2019;
//   - PAI: Weng et al., "MLaaS in the Wild", NSDI 2022;
//   - Acme: Hu et al., "Characterization of Large Language Model Development in the
//     Datacenter", NSDI 2024.
type Shape struct {
	// GPUs that the cluster has, and Load that is offered to them: the GPU time of all
	// jobs as a share of what there is while they come.
	GPUs int64
	Load float64
	// Length of the trace in seconds, from midnight on a Monday.
	Length int64
	// Teams that submit.
	Teams []Team
}

// Team is a project that submits a share of the jobs.
type Team struct {
	Project string
	Share   float64
	Users   int
	// Largest of its jobs in GPUs, zero for any: in Philly and Helios a team has a
	// cluster of its own within the cluster, and asks for no more than that has.
	Largest int64
}

const (
	hour = int64(3600)
	day  = 24 * hour

	// perNode is how many GPUs a pod has at most: a node's.
	perNode = 8
	// cpuPerGPU and memoryPerGPU leave some of a node with 128 cores and 1 TiB.
	cpuPerGPU    = int64(12000)
	memoryPerGPU = int64(96) << 30

	// Run times are log-normal. Helios' GPU jobs have a median of 206 s and a mean of
	// 6,652 s; of a log-normal distribution with deviation s the mean is exp(s²/2)
	// times the median, so that s is 2.64.
	medianRunTime = 206.0
	deviation     = 2.64
	// shortest and longestRun bound them: a run of a second is no job, and clusters
	// limit runs to days.
	shortest   = 10.0
	longestRun = float64(3 * 24 * 3600)

	// badness is f in the model of Mu'alem and Feitelson, "Utilization, Predictability,
	// Workloads, and User Runtime Estimates in Scheduling the IBM SP2 with
	// Backfilling", TPDS 2001: for a run of r users say something between r and
	// (f+1)·r, uniformly.
	badness = 4.0
	// overrunners run longer than they said, and limitless say nothing: assumed.
	overrunners = 0.02
	limitless   = 0.02

	// savesFrom is from how many GPUs on jobs save what they have done, and saves how
	// often: assumed.
	savesFrom = 8
	saves     = 30 * 60
)

// size of jobs, and how many of a thousand have it. More than half ask for one GPU,
// and the mean is near Helios' 3.72; the few that ask for eight and more use most
// of the GPU time, as in Helios and Acme.
type size struct {
	gpus     int64
	permille float64
}

func sizes() []size {
	return []size{{1, 550}, {2, 150}, {4, 120}, {8, 140}, {16, 20}, {32, 11}, {64, 5.2}, {128, 2.4}, {256, 1}, {512, 0.4}}
}

// modes are the limits that users write, in seconds. Estimates are few round numbers
// (Tsafrir, Etsion and Feitelson, "Modeling User Runtime Estimates", JSSPP 2005).
func modes() []int64 {
	return []int64{5 * 60, 15 * 60, 30 * 60, hour, 2 * hour, 4 * hour, 8 * hour, 12 * hour, day, 2 * day, 4 * day, 7 * day, 14 * day}
}

// Generate a trace. The same shape and seed give the same one.
func Generate(s Shape, seed uint64) []Record {
	g := generator{s, rand.New(rand.NewPCG(seed, 0x51_1b_3a_7e))}
	var records []Record
	for left := s.Load * float64(s.GPUs) * float64(s.Length); left > 0; {
		r := g.record()
		left -= float64(int64(r.Pods) * r.GPUs * r.RunTime)
		records = append(records, r)
	}
	slices.SortStableFunc(records, func(a, b Record) int { return cmp.Compare(a.Submit, b.Submit) })
	for i := range records {
		records[i].Name = fmt.Sprintf("job-%05d", i+1)
	}
	return records
}

type generator struct {
	Shape
	*rand.Rand
}

func (g generator) record() Record {
	team := g.team()
	gpus := g.size(team.Largest)
	r := Record{
		Project: team.Project, User: fmt.Sprintf("%s-%d", team.Project, g.zipf(team.Users)+1),
		Submit: g.submit(), RunTime: g.runTime(), Pods: 1, GPUs: gpus,
	}
	if gpus > perNode {
		r.Pods, r.GPUs = int32(gpus/perNode), perNode
	}
	if gpus >= savesFrom {
		r.Checkpoint = saves
	}
	r.CPU, r.Memory = r.GPUs*cpuPerGPU, r.GPUs*memoryPerGPU
	r.Limit = g.limit(r.RunTime)
	return r
}

// size of a job that has at most so many GPUs, and no more than the cluster.
func (g generator) size(largest int64) int64 {
	if largest == 0 || largest > g.GPUs {
		largest = g.GPUs
	}
	list := slices.DeleteFunc(sizes(), func(s size) bool { return s.gpus > largest })
	at := g.Float64() * 1000
	for _, s := range list {
		if at -= s.permille; at < 0 {
			return s.gpus
		}
	}
	return 1
}

func (g generator) team() Team {
	total := 0.0
	for _, t := range g.Teams {
		total += t.Share
	}
	at := g.Float64() * total
	for _, t := range g.Teams {
		if at -= t.Share; at < 0 {
			return t
		}
	}
	return Team{Users: 1}
}

// zipf: few users submit most jobs, the k-th as many as 1/k, as in PAI and Helios.
func (g generator) zipf(n int) int {
	total := 0.0
	for k := range n {
		total += 1 / float64(k+1)
	}
	at := g.Float64() * total
	for k := range n {
		if at -= 1 / float64(k+1); at < 0 {
			return k
		}
	}
	return 0
}

// submit by day and night: twice as often at two in the afternoon than on average
// of the night, and on weekends half as often (Helios and PAI show such days).
func (g generator) submit() int64 {
	for {
		at := g.Int64N(g.Length)
		rate := 1 + 0.6*math.Cos(2*math.Pi*float64(at%day-14*hour)/float64(day))
		if at/day%7 >= 5 {
			rate /= 2
		}
		if g.Float64()*1.6 < rate {
			return at
		}
	}
}

func (g generator) runTime() int64 {
	t := medianRunTime * math.Exp(deviation*g.NormFloat64())
	return int64(min(max(t, shortest), longestRun))
}

// limit that a user sets for a run, the next round number above what they think.
func (g generator) limit(runTime int64) int64 {
	kind := g.Float64()
	thought := float64(runTime) * (1 + badness*g.Float64())
	switch {
	case kind < limitless:
		return 0
	case kind < limitless+overrunners:
		return max(int64(float64(runTime)*0.7), 1)
	}
	for _, mode := range modes() {
		if float64(mode) >= thought {
			return mode
		}
	}
	return int64(thought)
}

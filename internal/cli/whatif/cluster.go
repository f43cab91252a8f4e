// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
	"slipway.dev/slipway/internal/simulate"
)

// grace of evicted pods is Kubernetes' default, in seconds.
const grace = 30

// Cluster is what is asked about.
type Cluster struct {
	snapshot *snapshot.Snapshot
	input    simulate.Input
	// assumed run time of gangs that have no limit, in seconds; zero is for ever. Of those of
	// a kind it is known how long runs took: learned.
	assumed int64
	learned map[string]int64
	// Held groups of pods, whose start room alone does not bring.
	Held []scheduler.Held
	// Refused gangs, of which no decision can be made, with the reason.
	Refused map[string]string
	// RefusedProjects, which cannot be followed, with the reason: their gangs wait.
	RefusedProjects map[string]string
}

// New cluster from a snapshot. Gangs run as long as their limit says, those without one as
// long as the scheduler expects of their kind, others as long as is assumed, or for ever when
// that is zero.
func New(s *snapshot.Snapshot, assumed time.Duration) *Cluster {
	told := scheduler.Tell(s)
	c := &Cluster{snapshot: s, assumed: int64(assumed / time.Second), Held: told.Held, Refused: told.Refused, RefusedProjects: map[string]string{}}
	c.input = simulate.Input{
		Start: s.Taken.Unix(), Nodes: told.Nodes, Pods: told.Pods, Remains: told.Remains, Grace: grace, Namespaces: told.Namespaces,
	}
	c.accept(told.Queues)
	c.input.Past, c.learned = told.Past, map[string]int64{}
	for _, past := range told.Past {
		for _, runs := range past.Runs {
			c.learned[runs.Kind] = placement.Expect(runs.Took)
		}
	}
	for _, g := range told.Gangs {
		if err := playable(&g); err != nil {
			c.Refused[g.Key] = err.Error()
			continue
		}
		c.input.Jobs = append(c.input.Jobs, c.job(g, c.assumed))
	}
	for _, g := range told.Groups {
		c.input.Jobs = append(c.input.Jobs, c.job(g, 0)) // who makes pods makes others in their place
	}
	c.divide()
	return c
}

// accept the queues that the scheduler follows, which are told to it one by one; it goes on
// without the others, whose gangs are told why.
func (c *Cluster) accept(queues []placement.Queue) {
	picture := placement.New()
	for _, q := range queues {
		if err := picture.SetQueue(q); err != nil {
			c.RefusedProjects[q.Name] = err.Error()
			c.input.Refused = append(c.input.Refused, q)
			continue
		}
		c.input.Queues = append(c.input.Queues, q)
	}
}

// playable says whether there is a time at which the gang ends.
func playable(g *placement.Gang) error {
	if g.Limit < 0 {
		return fmt.Errorf("spec.maxRunTime is %d seconds, and no gang ends before it starts; use a duration above zero, or leave it out", g.Limit)
	}
	return nil
}

// Warnings of what is left out of the simulation, a line each.
func (c *Cluster) Warnings() []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(c.RefusedProjects)) {
		lines = append(lines, fmt.Sprintf("project %s is left out: %s", name, c.RefusedProjects[name]))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Refused)) {
		lines = append(lines, fmt.Sprintf("gang %s is left out: %s", key, c.Refused[key]))
	}
	return lines
}

// divide the cluster by the levels of its topology. Which they are is the scheduler's to
// say, from the labels of nodes and from those that gangs name: it is asked about nodes
// and gangs with nothing else to them.
func (c *Cluster) divide() {
	bare := &snapshot.Snapshot{Taken: c.snapshot.Taken}
	for _, n := range c.snapshot.Nodes {
		bare.Add(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels}})
	}
	asked := map[slipwayv1.Topology]bool{{}: true}
	for i := range c.input.Jobs {
		for _, set := range c.input.Jobs[i].Gang.Sets {
			topology := slipwayv1.Topology{Required: set.Topology.Required, Preferred: set.Topology.Preferred}
			if !asked[topology] {
				asked[topology] = true
				bare.Add(&slipwayv1.Gang{
					ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(len(asked)), Generation: 1},
					Spec:       slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{Topology: &topology}}},
				})
			}
		}
	}
	c.input.Levels = scheduler.Decide(bare).Picture.Levels
}

// job of a gang that is there; without a limit, and of an unknown kind, it runs as long as is
// assumed.
func (c *Cluster) job(g placement.Gang, assumed int64) simulate.Job {
	now := c.input.Start
	j := simulate.Job{Gang: g, Arrives: min(g.Created, now), RunTime: g.Limit}
	if j.RunTime == 0 {
		j.RunTime = cmp.Or(c.learned[g.Kind], assumed)
	}
	if len(g.Placement) == 0 || g.Waits {
		return j
	}
	if g.Started == 0 {
		j.Gang.Started = now
	}
	if ran := now - j.Gang.Started; j.RunTime > 0 && j.RunTime <= ran {
		j.RunTime = ran + placement.Overrun
	}
	return j
}

// Submit a gang that is not there, now.
func (c *Cluster) Submit(g *slipwayv1.Gang) (*Cluster, error) {
	told, err := scheduler.TellGang(g, c.snapshot)
	if err != nil {
		return nil, err
	}
	if err := playable(&told); err != nil {
		return nil, fmt.Errorf("gang %s: %w", told.Key, err)
	}
	told.Created, told.Placement, told.Started, told.Waits, told.Promised = c.input.Start, nil, 0, false, 0
	for _, j := range c.input.Jobs {
		if j.Gang.Key == told.Key {
			return nil, fmt.Errorf("gang %s is there already; it is in the table without --file, too", told.Key)
		}
	}
	next := c.copy()
	next.input.Jobs = append(next.input.Jobs, c.job(told, c.assumed))
	next.divide()
	return next, nil
}

// Now is when the cluster was as it is here, in seconds.
func (c *Cluster) Now() int64 { return c.input.Start }

// Simulate under a policy until a moment; zero is until nothing happens any more. It is
// given up when the context ends.
func (c *Cluster) Simulate(ctx context.Context, p simulate.Policy, until int64) (*simulate.Result, error) {
	in := c.input
	in.Until = until
	in.Interrupted = func() bool { return ctx.Err() != nil }
	return simulate.Run(in, p)
}

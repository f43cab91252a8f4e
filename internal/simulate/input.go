// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"errors"
	"fmt"

	"slipway.dev/slipway/internal/placement"
)

// ErrInterrupted is that of a simulation which was given up before its end.
var ErrInterrupted = errors.New("interrupted before its end")

// Input of a simulation. Times are seconds since any one moment.
type Input struct {
	// Start is when it begins; Nodes, Queues, Pods and the jobs that run already are
	// as they are then.
	Start  int64
	Nodes  []placement.Node
	Queues []placement.Queue
	// Refused queues, which cannot be: their gangs wait, and are told why.
	Refused []placement.Queue
	// Namespaces with their labels, for the terms of pods about others.
	Namespaces map[string]map[string]string
	// Levels are the labels by which the cluster divides its nodes, see placement.Picture.
	Levels []string
	// Past of queues, which decides whose turn it is; none of those left out.
	Past []placement.Past
	// Pods that are bound at the start. Those that are on their way out, and those of gangs that
	// gave their places up, end when Grace is over; others of a job with it, and all others never.
	Pods []placement.Pod
	// Remains of gangs that gave way, which want nothing: for whom, and which pods are theirs.
	Remains []placement.Gang
	// Jobs that run or wait at the start, and those that come later.
	Jobs []Job
	// Changes of the cluster, in any order.
	Changes []Change
	// Until is when the simulation stops; zero to go on until nothing happens any more, or
	// nothing for long but that gangs give way to each other.
	Until int64
	// Grace is for how long pods of an evicted gang keep their room.
	Grace int64
	// SettleEvery is how often policy Slipway settles at most, in seconds; zero is at
	// each moment at which something happens. The live scheduler does several times a
	// second as long as that costs it less than a sixth of its time.
	SettleEvery int64
	// HalfLife of past usage; zero is the scheduler's own.
	HalfLife int64
	// Interrupted is asked again and again whether to give up; nil is never.
	Interrupted func() bool
}

// Job is a gang, when it comes, and how long it runs.
type Job struct {
	// Gang with a unique key. One with a Placement runs at the start, since
	// Gang.Started.
	Gang placement.Gang
	// Arrives is when it is submitted; at the start when that is earlier.
	Arrives int64
	// RunTime is how long it runs in all if nothing interrupts it, whatever its limit;
	// zero for ever.
	RunTime int64
	// Checkpoint is how often it saves what it has done; zero for never.
	Checkpoint int64
}

// Change of the cluster at a moment.
type Change struct {
	At         int64
	SetNodes   []placement.Node
	DropNodes  []string
	SetQueues  []placement.Queue
	DropQueues []string
}

// validate what would make the answer meaningless.
func (in *Input) validate() error {
	keys := map[string]bool{}
	for i := range in.Jobs {
		j := &in.Jobs[i]
		switch {
		case keys[j.Gang.Key]:
			return fmt.Errorf("two gangs are named %q; give each its own name", j.Gang.Key)
		case j.RunTime < 0:
			return fmt.Errorf("gang %s runs %d seconds; use zero or more", j.Gang.Key, j.RunTime)
		case j.Checkpoint < 0:
			return fmt.Errorf("gang %s saves every %d seconds; use zero or more", j.Gang.Key, j.Checkpoint)
		}
		keys[j.Gang.Key] = true
	}
	return nil
}

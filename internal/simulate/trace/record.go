// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/simulate"
)

// GPU is the resource that a trace calls gpus.
const GPU = "nvidia.com/gpu"

// Record is one job of a trace. Times are seconds, Submit since its beginning.
type Record struct {
	Name, Project, User string
	Submit              int64
	RunTime             int64
	// Limit that the user set; zero for none.
	Limit int64
	// Checkpoint is how often it saves what it has done; zero for never.
	Checkpoint int64
	Priority   int32
	Pods       int32
	// Of one pod; CPU in thousandths of a core, Memory in bytes.
	GPUs, CPU, Memory int64
	// Topology is the key of a label that nodes of all pods share, if it can be had or,
	// with Required, always.
	Topology string
	Required bool
}

// Job is the record when the trace begins at a moment.
func (r *Record) Job(begins int64) simulate.Job {
	requests := placement.Resources{}
	for name, n := range map[string]int64{GPU: r.GPUs, "cpu": r.CPU, "memory": r.Memory} {
		if n > 0 {
			requests[name] = n
		}
	}
	at := begins + r.Submit
	return simulate.Job{
		Arrives: at, RunTime: r.RunTime, Checkpoint: r.Checkpoint,
		Gang: placement.Gang{
			Key: r.Name, Queue: r.Project, User: r.User, Priority: r.Priority, Created: at, Limit: r.Limit,
			Sets: []placement.PodSet{{
				Name: "worker", Count: r.Pods, Shape: placement.Shape{Requests: requests},
				Topology: r.topology(),
			}},
		},
	}
}

func (r *Record) topology() placement.Topology {
	if r.Required {
		return placement.Topology{Required: r.Topology}
	}
	return placement.Topology{Preferred: r.Topology}
}

// Jobs of a trace that begins at a moment.
func Jobs(records []Record, begins int64) []simulate.Job {
	var jobs []simulate.Job
	for i := range records {
		jobs = append(jobs, records[i].Job(begins))
	}
	return jobs
}

// nameless jobs are called by their line.
func nameOf(line int) string { return fmt.Sprintf("job-%d", line) }

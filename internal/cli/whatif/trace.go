// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/simulate"
)

// TracePrefix keeps the names of a trace apart from those of the cluster.
const TracePrefix = "trace/"

// Trace of jobs that come from now on. It is refused if the cluster has not all of its
// projects: their jobs would never start, and be counted as if the cluster were too small.
func (c *Cluster) Trace(jobs []simulate.Job) (*Cluster, error) {
	if err := c.hasProjects(jobs); err != nil {
		return nil, err
	}
	next := c.copy()
	for _, j := range jobs {
		j.Gang.Key = TracePrefix + j.Gang.Key
		next.input.Jobs = append(next.input.Jobs, j)
	}
	next.divide()
	return next, nil
}

// maxUnknown projects are named.
const maxUnknown = 5

// hasProjects of all jobs, or says which not.
func (c *Cluster) hasProjects(jobs []simulate.Job) error {
	of := map[string]int{}
	for i := range jobs {
		of[jobs[i].Gang.Queue]++
	}
	delete(of, "")
	for _, q := range c.input.Queues {
		delete(of, q.Name)
	}
	if len(of) == 0 {
		return nil
	}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if why := c.RefusedProjects[name]; why != "" {
			return fmt.Errorf("project %s, of which it has %s, cannot be used: %s", name, placement.Count(of[name], "job"), why)
		}
		unknown = append(unknown, fmt.Sprintf("%s (%s)", name, placement.Count(of[name], "job")))
	}
	if more := len(unknown) - maxUnknown; more > 0 {
		unknown = append(unknown[:maxUnknown], fmt.Sprintf("%d more", more))
	}
	return errors.New("the cluster has no such projects: " + strings.Join(unknown, ", ") +
		"; name some that it has, as slipway queue shows them, or leave the column project empty")
}

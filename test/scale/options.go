// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// options say what is measured, and how large it is.
type options struct {
	only     string
	programs string

	jobs      struct{ nodes, jobs int }
	gang      struct{ nodes, pods int }
	verdict   struct{ nodes, times int }
	churn     struct{ nodes, large, small int }
	restart   struct{ nodes, pods int }
	growth    struct{ jobs int }
	growthAt  []int // nodes
	nodesList string
}

func parse(args []string, usage io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&o.only, "only", "", "run one `scenario`")
	flags.StringVar(&o.programs, "programs", "build/bin", "`folder` of slipway and slipway-kube")
	flags.IntVar(&o.jobs.nodes, "jobs-nodes", 500, "jobs: nodes of 8 GPUs")
	flags.IntVar(&o.jobs.jobs, "jobs", 4000, "jobs: jobs of one GPU")
	flags.IntVar(&o.gang.nodes, "gang-nodes", 2048, "gang: nodes")
	flags.IntVar(&o.gang.pods, "gang-pods", 512, "gang: pods of the gang, one on a node")
	flags.IntVar(&o.verdict.nodes, "verdict-nodes", 500, "verdict: nodes, all of them full")
	flags.IntVar(&o.verdict.times, "verdict-times", 20, "verdict: gangs, one after another")
	flags.IntVar(&o.churn.nodes, "churn-nodes", 5000, "churn: nodes")
	flags.IntVar(&o.churn.large, "churn-large", 20, "churn: gangs of 500 pods")
	flags.IntVar(&o.churn.small, "churn-small", 750, "churn: gangs of 4 pods")
	flags.IntVar(&o.restart.nodes, "restart-nodes", 2000, "restart: nodes")
	flags.IntVar(&o.restart.pods, "restart-pods", 50000, "restart: bound pods, at most 30 for each node")
	flags.IntVar(&o.growth.jobs, "growth-jobs", 200, "growth: jobs of 4 pods")
	flags.StringVar(&o.nodesList, "growth-nodes", "500,2000,7500", "growth: `numbers` of nodes")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	for text := range strings.SplitSeq(o.nodesList, ",") {
		nodes, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("-growth-nodes: %w", err)
		}
		o.growthAt = append(o.growthAt, nodes)
	}
	return o, nil
}

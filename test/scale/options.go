// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// options say what is measured, and how large it is.
type options struct {
	only     string
	programs string

	jobs      struct{ nodes, jobs int }
	requests  struct{ each int }
	gang      struct{ nodes, pods int }
	verdict   struct{ nodes, times int }
	churn     churnOptions
	restart   struct{ nodes, pods int }
	reclaim   struct{ nodes, times, gang int }
	workloads struct{ cohorts, queues, each int }
	growth    struct{ jobs int }
	decide    struct{ nodes int }

	// Numbers of nodes at which growth is looked at, or of gangs that wait.
	growthAt, decideAt, decideWaiting []int
}

type churnOptions struct {
	nodes, large, small int
	patience            time.Duration
}

func (c churnOptions) pods() int { return c.large*largeGang + c.small*smallGang }

func parse(args []string, usage io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&o.only, "only", "", "run one `scenario`")
	flags.StringVar(&o.programs, "programs", "build/bin", "`folder` of slipway and slipway-kube")
	flags.IntVar(&o.jobs.nodes, "jobs-nodes", 500, "jobs: nodes of 8 GPUs")
	flags.IntVar(&o.jobs.jobs, "jobs", 4000, "jobs: jobs of one GPU")
	flags.IntVar(&o.requests.each, "requests", 1000, "requests: of each kind")
	flags.IntVar(&o.gang.nodes, "gang-nodes", 2048, "gang: nodes")
	flags.IntVar(&o.gang.pods, "gang-pods", 512, "gang: pods of the gang, one on a node")
	flags.IntVar(&o.verdict.nodes, "verdict-nodes", 500, "verdict: nodes, all of them full")
	flags.IntVar(&o.verdict.times, "verdict-times", 20, "verdict: gangs, one after another")
	flags.IntVar(&o.churn.nodes, "churn-nodes", 5000, "churn: nodes")
	flags.IntVar(&o.churn.large, "churn-large", 20, "churn: gangs of 500 pods")
	flags.IntVar(&o.churn.small, "churn-small", 750, "churn: gangs of 4 pods")
	flags.DurationVar(&o.churn.patience, "churn-upstream", 8*time.Minute, "churn: for how `long` upstream's scheduler may take; 0 leaves it out")
	flags.IntVar(&o.restart.nodes, "restart-nodes", 2000, "restart: nodes")
	flags.IntVar(&o.restart.pods, "restart-pods", 50000, "restart: bound pods, at most 30 for each node")
	flags.IntVar(&o.reclaim.nodes, "reclaim-nodes", 500, "reclaim: nodes of 8 GPUs, all of them borrowed by gangs of one GPU")
	flags.IntVar(&o.reclaim.times, "reclaim-times", 5, "reclaim: gangs of one GPU, one after another, that take one back")
	flags.IntVar(&o.reclaim.gang, "reclaim-gang", 250, "reclaim: pods of the gang that takes back as many GPUs")
	flags.IntVar(&o.workloads.cohorts, "workloads-cohorts", 5, "workloads: cohorts")
	flags.IntVar(&o.workloads.queues, "workloads-queues", 6, "workloads: queues of a cohort")
	flags.IntVar(&o.workloads.each, "workloads-each", 500, "workloads: workloads of a queue")
	flags.IntVar(&o.growth.jobs, "growth-jobs", 200, "growth: jobs of 4 pods")
	numbers(flags, &o.growthAt, "growth-nodes", "500,2000,7500", "growth: `numbers` of nodes")
	flags.IntVar(&o.decide.nodes, "decide-nodes", 7500, "decide: nodes that are filled")
	numbers(flags, &o.decideAt, "decide-growth-nodes", "500,2000,7500", "decide: `numbers` of nodes that are compared")
	numbers(flags, &o.decideWaiting, "decide-waiting", "100,1000,10000", "decide: `numbers` of gangs that wait")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	return o, nil
}

// numbers is a flag that is a list of them, with commas between.
func numbers(flags *flag.FlagSet, list *[]int, name, unset, usage string) {
	set := func(text string) error {
		*list = nil
		for one := range strings.SplitSeq(text, ",") {
			number, err := strconv.Atoi(one)
			if err != nil || number < 1 {
				return fmt.Errorf("%q is no number above zero", one)
			}
			*list = append(*list, number)
		}
		return nil
	}
	_ = set(unset)
	flags.Func(name, usage+" (default "+unset+")", set)
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/manifest"
	"slipway.dev/slipway/internal/cli/whatif"
	"slipway.dev/slipway/internal/scheduler/snapshot"
	"slipway.dev/slipway/internal/simulate"
	"slipway.dev/slipway/internal/simulate/trace"
)

// question is one "slipway simulate".
type question struct {
	from            string
	addNodes        int
	like            string
	removed, quotas []string
	files           []string
	trace           string
	policy          string
	assumed, until  time.Duration
	format          string
}

func (a *app) simulate() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Tell when what waits will start, and what if the cluster were another",
		Long: `Run time forward over the cluster as it is, or over a file, with the scheduler's own
decisions: when will what waits start? Told what would be different, run it twice and show
both: nodes that come or go, another quota, a job that nobody submitted yet, a trace of jobs.
Nothing is changed.

Gangs are taken to run as long as their limit says (slipway.dev/max-run-time), those without
one as long as the last runs of their kind that are in the status of their project, others for
ever, or as long as --assume-run-time says.`,
		Example: `  slipway simulate
  slipway simulate --add-nodes 16 --like node-7
  slipway simulate --quota speech:nvidia.com/gpu=16/48 --assume-run-time 8h
  slipway simulate -F job.yaml --from cluster.json
  slipway simulate --trace week.csv --remove-node node-7`,
		Args:              cobra.NoArgs,
		GroupID:           groupLook,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.answerWhatIf(cmd.Context(), q) },
	}
	flags := cmd.Flags()
	flags.StringVar(&q.from, "from", "", "`file` with the cluster instead of the live one, - for standard input: kubectl get nodes,namespaces,pods,projects,gangs,priorityclasses -A -o json")
	flags.IntVar(&q.addNodes, "add-nodes", 0, "what if so many nodes came, a `number`")
	flags.StringVar(&q.like, "like", "", "with --add-nodes: the `node` that they are like (default: one of the most frequent size)")
	flags.StringArrayVar(&q.removed, "remove-node", nil, "what if this `node` went; repeatable")
	flags.StringArrayVar(&q.quotas, "quota", nil, "what if a project's quota were `PROJECT:RESOURCE=GUARANTEED[/LIMIT]`; RESOURCE@KIND for nodes of one kind; repeatable")
	flags.StringArrayVarP(&q.files, "file", "F", nil, "what if the Gangs, Jobs and PyTorchJobs of this `file` were submitted, with the PriorityClasses in it, - for standard input; repeatable")
	flags.StringVar(&q.trace, "trace", "", "what if the jobs of this `file` came, in CSV: columns submit, pods, run_time and others, see docs/simulate.md")
	flags.StringVar(&q.policy, "policy", string(simulate.Slipway), "who decides: `slipway`, fifo or best-effort")
	flags.DurationVar(&q.assumed, "assume-run-time", 0, "`time` that gangs run of which nobody knows, such as 8h (default: for ever)")
	flags.DurationVar(&q.until, "until", 0, "stop after this `time`, such as 168h (default: when nothing happens any more but that jobs without an end take turns)")
	flags.StringVarP(&q.format, "output", "o", "", "print `json` or yaml")
	offer(cmd, "policy", "slipway", "fifo", "best-effort")
	offer(cmd, "output", "json", "yaml")
	for _, flag := range []string{"like", "remove-node"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, a.completeNames(&corev1.NodeList{}))
	}
	_ = cmd.RegisterFlagCompletionFunc("quota", a.completeQuotas)
	return cmd
}

// completeQuotas offers what the projects have a quota of, to be given another amount.
func (a *app) completeQuotas(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	var projects slipwayv1.ProjectList
	if cluster, err := a.cluster.Open(a.Stderr); err != nil || cluster.List(ctx, &projects) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var all []cobra.Completion
	for _, p := range projects.Items {
		if len(p.Spec.Quota) == 0 {
			all = append(all, p.Name+":")
		}
		for _, q := range p.Spec.Quota {
			all = append(all, whatif.QuotaOf(p.Name, &q)+"=")
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func (q question) check() (simulate.Policy, error) {
	switch {
	case q.addNodes < 0:
		return "", wrongUsage("--add-nodes is %d; use zero or more, and --remove-node for nodes that go", q.addNodes)
	case q.addNodes > maxAdded:
		return "", wrongUsage("--add-nodes is %d, which is more than a simulation has room for; use at most %d", q.addNodes, maxAdded)
	case q.like != "" && q.addNodes == 0:
		return "", wrongUsage("--like says what added nodes are like; say how many with --add-nodes")
	case q.assumed < 0 || q.until < 0:
		return "", wrongUsage("a time of --assume-run-time or --until is below zero; use one such as 8h")
	case !slices.Contains([]string{"", "json", "yaml"}, q.format):
		return "", wrongUsage("--output is %q; use json or yaml, or leave it out for a table", q.format)
	}
	policy, err := simulate.ParsePolicy(q.policy)
	if err != nil {
		return "", wrongUsage("--policy: %w", err)
	}
	return policy, nil
}

// maxAdded nodes: twenty times as many as Kubernetes is made for.
const maxAdded = 100_000

// answer of "slipway simulate"; Trace sums up each simulation.
type whatIfAnswer struct {
	Taken  time.Time         `json:"taken"`
	Policy simulate.Policy   `json:"policy"`
	Gangs  []whatif.Line     `json:"gangs"`
	Trace  []simulate.Report `json:"trace,omitempty"`
}

func (a *app) answerWhatIf(ctx context.Context, q question) error {
	policy, err := q.check()
	if err != nil {
		return err
	}
	s, err := a.takeSnapshot(ctx, q.from)
	if err != nil {
		return err
	}
	jobs, length, err := a.readTrace(q.trace, s.Taken)
	if err != nil {
		return err
	}
	asItIs := whatif.New(s, q.assumed)
	for _, line := range asItIs.Warnings() {
		fmt.Fprintln(a.Stderr, "warning: "+line)
	}
	changed, different, err := a.change(asItIs, q)
	if err != nil {
		return err
	}
	until := int64(0)
	if q.until > 0 {
		until = asItIs.Now() + int64(q.until/time.Second)
	}
	out := whatIfAnswer{Taken: s.Taken, Policy: policy}
	var results []*simulate.Result
	for _, c := range []*whatif.Cluster{asItIs, changed} {
		traced, err := c.Trace(jobs)
		if err != nil {
			return fmt.Errorf("--trace %s: %w", q.trace, err)
		}
		r, err := traced.Simulate(ctx, policy, until)
		if errors.Is(err, simulate.ErrInterrupted) {
			return fmt.Errorf("simulating was %w; bound how far it looks with --until", err)
		}
		if err != nil {
			return fmt.Errorf("simulating: %w", err)
		}
		if results = append(results, r); q.trace != "" {
			terms := traceTerms(asItIs.Now(), length)
			if len(out.Trace) > 0 {
				terms.Resource = out.Trace[0].Resource // figures of two resources are not to be compared
			}
			out.Trace = append(out.Trace, r.Report(terms))
		}
		if !different {
			results = append(results, nil)
			break
		}
	}
	out.Gangs = asItIs.Compare(results[0], results[1])
	if q.format != "" {
		return printValue(a.Stdout, q.format, out)
	}
	return out.print(a.Stdout, different)
}

// traceTerms look at the whole hours in which the jobs of a trace come: what was used is known by
// the hour.
func traceTerms(now, length int64) simulate.Terms {
	const hour = 60 * 60
	return simulate.Terms{From: now, To: now + max((length+hour-1)/hour, 1)*hour, Of: whatif.TracePrefix, Large: largeGang, Patience: patience}
}

// largeGang has so many devices, and has starved when it waited so many seconds.
const (
	largeGang = 64
	patience  = 24 * 60 * 60
)

func (a *app) takeSnapshot(ctx context.Context, from string) (*snapshot.Snapshot, error) {
	if from == "" {
		cluster, err := a.cluster.Open(a.Stderr)
		if err != nil {
			return nil, err
		}
		s, err := snapshot.Fetch(ctx, cluster, time.Now())
		return s, connect.Needing(connect.RoleObserve, err)
	}
	in, name := a.Stdin, "standard input"
	if from != "-" {
		file, err := os.Open(from)
		if err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
		defer file.Close()
		in, name = file, from
	}
	s, err := snapshot.Read(in)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	s.Date(time.Now())
	return s, nil
}

// readTrace that begins at a moment, and how long its jobs come.
func (a *app) readTrace(file string, begins time.Time) ([]simulate.Job, int64, error) {
	if file == "" {
		return nil, 0, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, 0, fmt.Errorf("--trace: %w", err)
	}
	records, err := trace.Parse(string(content))
	if err != nil {
		return nil, 0, fmt.Errorf("reading %s: %w", file, err)
	}
	length := int64(0)
	for _, r := range records {
		length = max(length, r.Submit+1)
	}
	return trace.Jobs(records, begins.Unix()), length, nil
}

// change the cluster as asked, and say whether anything was.
func (a *app) change(c *whatif.Cluster, q question) (*whatif.Cluster, bool, error) {
	gangs, err := a.readGangs(c, q.files)
	if err != nil {
		return nil, false, err
	}
	var steps []func() (*whatif.Cluster, error)
	if q.addNodes > 0 {
		steps = append(steps, func() (*whatif.Cluster, error) { return c.AddNodes(q.addNodes, q.like) })
	}
	for _, name := range q.removed {
		steps = append(steps, func() (*whatif.Cluster, error) { return c.RemoveNode(name) })
	}
	for _, quota := range q.quotas {
		steps = append(steps, func() (*whatif.Cluster, error) { return c.SetQuota(quota) })
	}
	for _, gang := range gangs {
		steps = append(steps, func() (*whatif.Cluster, error) { return c.Submit(gang) })
	}
	for _, step := range steps {
		if c, err = step(); err != nil {
			return nil, false, err
		}
	}
	return c, len(steps) > 0, nil
}

// readGangs that the manifests are, or would become in a cluster.
func (a *app) readGangs(c *whatif.Cluster, files []string) ([]*slipwayv1.Gang, error) {
	if len(files) == 0 {
		return nil, nil
	}
	scheme, err := connect.NewScheme()
	if err != nil {
		return nil, err
	}
	read, err := manifest.Read(files, a.Stdin, scheme)
	if err != nil {
		return nil, err
	}
	var manifests []*unstructured.Unstructured
	for _, o := range read {
		manifests = append(manifests, o.Unstructured)
	}
	submitted, at, err := c.Submissions(manifests, scheme)
	if err != nil {
		return nil, read[at].Place(err)
	}
	for _, line := range submitted.Warnings {
		fmt.Fprintln(a.Stderr, "warning: "+line)
	}
	for _, gang := range submitted.Gangs {
		gang.Namespace = cmp.Or(gang.Namespace, a.cluster.KnownNamespace(), corev1.NamespaceDefault)
	}
	return submitted.Gangs, nil
}

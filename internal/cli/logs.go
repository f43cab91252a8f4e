// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/follow"
	"slipway.dev/slipway/internal/cli/live"
	"slipway.dev/slipway/internal/cli/workload"
)

// reading is one "slipway logs".
type reading struct {
	pick             follow.Pick
	follow, previous bool
	tail             int64
	since            time.Duration
}

func (a *app) logs() *cobra.Command {
	var r reading
	cmd := &cobra.Command{
		Use:   "logs NAME|KIND/NAME|COMPONENT",
		Short: "Print the log of a job, a model, or other pods",
		Long: `Print the log of a job or a model: that of rank 0, or of a replica that answers. So
with a Deployment, a StatefulSet, or what else pods belong to in "slipway ps", and with
one pod of anything: pod/NAME.

With --follow it goes on while pods are restarted, replaced and moved, each line
once, until the job ends or the pods are gone. A component of the cluster on this machine
has a log, too: server, control, platform, supervisor, audit, node and containerd of the
first node, node:NAME and containerd:NAME of another.`,
		Example: `  slipway logs -f tiny
  slipway logs tiny --all --tail 20
  slipway logs pytorchjob/tiny --rank 1 --previous
  slipway logs -f deployment/web
  slipway logs server`,
		GroupID:           groupLook,
		Args:              oneName("NAME"),
		ValidArgsFunction: a.completeLogs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if isComponent(args[0]) {
				return a.handOverVerb()
			}
			if err := r.check(); err != nil {
				return err
			}
			return a.readLogs(cmd.Context(), args[0], r)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&r.follow, "follow", "f", false, "go on until the job ends, or the pods are gone")
	flags.Int32Var(&r.pick.Rank, "rank", follow.Leading, "`number` of the pod (default: 0 of a job, one that answers of others)")
	flags.BoolVar(&r.pick.All, "all", false, "all pods, each line with the pod's name")
	flags.BoolVar(&r.previous, "previous", false, "the log of the container before its last restart")
	flags.Int64Var(&r.tail, "tail", -1, "`number` of last lines to begin with (default: all)")
	flags.DurationVar(&r.since, "since", 0, "begin with lines that are at most this `time` old, such as 10m")
	return cmd
}

// components of a cluster of "slipway up", whose logs slipway-kube prints.
var components = regexp.MustCompile(`^(server|control|platform|supervisor|audit|(node|containerd)(:.*)?)$`)

func isComponent(name string) bool { return components.MatchString(name) }

func (r reading) check() error {
	switch {
	case r.tail < -1:
		return wrongUsage("--tail is %d; use zero or more", r.tail)
	case r.since < 0:
		return wrongUsage("--since is %s; use more than zero, such as 10m", r.since)
	case r.pick.Rank < follow.Leading:
		return wrongUsage("--rank is %d; use zero or more", r.pick.Rank)
	case r.pick.All && r.pick.Rank != follow.Leading:
		return wrongUsage("--rank is one pod and --all are all; leave one of them out")
	case r.follow && r.previous:
		return wrongUsage("--previous is a log that has ended; leave out --follow")
	}
	return nil
}

// options cut the log that is read first.
func (r reading) options() corev1.PodLogOptions {
	o := corev1.PodLogOptions{Previous: r.previous}
	if r.tail >= 0 {
		o.TailLines = &r.tail
	}
	if r.since > 0 {
		o.SinceSeconds = ptr.To(int64((r.since + time.Second - 1) / time.Second))
	}
	return o
}

func (a *app) readLogs(ctx context.Context, name string, r reading) error {
	ref, err := workload.ParseRef(name)
	holder, held := workload.ParseHolder(name)
	if err != nil && !held {
		return usageError{err}
	}
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	scope := live.Scope{Namespace: cluster.Namespace, Name: holder.Name(), Holder: &holder}
	if !held {
		if scope, err = find(ctx, cluster, ref); err != nil {
			return err
		}
	}
	one, err := read(ctx, cluster, scope)
	if err != nil {
		return err
	}
	if err := r.pick.Check(one[0]); err != nil {
		return err
	}
	if r.follow {
		return a.followLogs(ctx, cluster, scope, r)
	}
	return a.printLogs(ctx, cluster, one[0], r)
}

// find what is meant by a name: a workload or, where a name alone is that of none, what ps lists
// besides, or a pod.
func find(ctx context.Context, cluster *connect.Cluster, ref workload.Ref) (live.Scope, error) {
	scope := live.Scope{Namespace: cluster.Namespace, Name: ref.Name}
	kind, _, err := ref.Find(ctx, cluster, cluster.Namespace)
	scope.Kind = kind
	if !errors.As(err, new(workload.NoneError)) || len(ref.Kinds) == 1 {
		return scope, err
	}
	loose, _ := looseNamed(ctx, cluster, ref.Name) // Who may not is told what err says.
	if len(loose) > 1 {
		return scope, fmt.Errorf("%q is both %s and %s; write one of them", ref.Name, loose[0], loose[1])
	}
	text := workload.Pod(ref.Name).String()
	if len(loose) == 1 {
		text = loose[0].String()
	}
	holder, _ := workload.ParseHolder(text)
	scope.Holder = &holder
	if _, none := read(ctx, cluster, scope); none != nil {
		return scope, err
	}
	return scope, nil
}

// looseNamed is what ps lists under a name besides jobs and models.
func looseNamed(ctx context.Context, cluster *connect.Cluster, name string) ([]workload.Workload, error) {
	pods, err := workload.ListScheduled(ctx, cluster, cluster.Namespace, nil)
	loose := slices.DeleteFunc(workload.Loose(pods), func(w workload.Workload) bool { return w.Object.GetName() != name })
	sortWorkloads(loose)
	return loose, err
}

// read the one workload of a scope.
func read(ctx context.Context, cluster *connect.Cluster, scope live.Scope) ([]workload.Workload, error) {
	one := make([]workload.Workload, 1)
	if scope.Holder == nil {
		var err error
		if one[0], err = workload.Get(ctx, cluster, scope.Kind, scope.Namespace, scope.Name); err != nil {
			return nil, err
		}
	} else {
		var pods corev1.PodList
		if err := cluster.List(ctx, &pods, client.InNamespace(scope.Namespace)); err != nil {
			return nil, fmt.Errorf("listing pods: %w", err)
		}
		w := scope.Holder.Among(pods.Items)
		if w == nil {
			return nil, fmt.Errorf("no pod in namespace %s is of %s; see what there is with: slipway ps -A", scope.Namespace, scope.Holder)
		}
		one[0] = *w
	}
	return one, workload.Listen(ctx, cluster, one)
}

// followLogs says nothing about a workload that runs as it should.
func (a *app) followLogs(ctx context.Context, cluster *connect.Cluster, scope live.Scope, r reading) error {
	watching, f, err := a.follower(ctx, cluster, scope)
	if err != nil {
		return err
	}
	say, quiet := f.Say, true
	f.Say = func(s workload.State) {
		well := s.Reason == "" && (s.Status == workload.StatusRunning || s.Status == workload.StatusReady)
		if !quiet || !well {
			say(s)
		}
		quiet = quiet && well
	}
	f.Pick, f.First = &r.pick, r.options()
	_, err = f.Run(watching, a.Stdout)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// printLogs prints what there is. Pods that have said nothing yet are not an
// error unless all of them have not.
func (a *app) printLogs(ctx context.Context, cluster *connect.Cluster, w workload.Workload, r reading) error {
	pods := r.pick.Of(w)
	if len(pods) == 0 {
		state := w.State()
		return fmt.Errorf("%s has no pod to read from, it is %s; wait for it with: slipway logs -f %s%s",
			w, stateLine(state), w.Object.GetName(), a.inNamespace())
	}
	var problems []error
	for i := range pods {
		options := r.options()
		options.Container = w.Kind.MainContainer(&pods[i])
		if silence := w.Silence(&pods[i]); silence != "" {
			problems = append(problems, fmt.Errorf("the log of pod %s cannot be read: %s; to wait for it: slipway logs -f %s%s",
				pods[i].Name, silence, w, a.inNamespace()))
			continue
		}
		if err := a.printLog(ctx, cluster, &pods[i], r.pick.Prefix(&pods[i]), &options); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) == len(pods) {
		return problems[0]
	}
	for _, err := range problems {
		fmt.Fprintln(a.Stderr, "slipway: "+oneLine(connect.Explain(err).Error()))
	}
	return nil
}

func (a *app) printLog(ctx context.Context, cluster *connect.Cluster, pod *corev1.Pod, prefix string, options *corev1.PodLogOptions) error {
	log, err := opener(cluster)(ctx, pod, options)
	if isUnreached(err) {
		return fmt.Errorf("the log of pod %s cannot be read: its node %s does not answer (%s); if it stays so that is noticed within half a minute, and slipway ps says what becomes of the pod; then try again",
			pod.Name, pod.Spec.NodeName, lastCause(err))
	}
	if err != nil {
		return fmt.Errorf("reading the log of pod %s: %w", pod.Name, err)
	}
	err = follow.Copy(a.Stdout, log, prefix)
	return errors.Join(err, log.Close())
}

// isUnreached says that the API server did not reach the kubelet that has the log: that error
// is of no kind of its own, and says which request was made of the kubelet.
func isUnreached(err error) bool {
	return err != nil && strings.Contains(err.Error(), "/containerLogs/")
}

// lastCause of an error, without what was tried.
func lastCause(err error) string {
	text := err.Error()
	return text[strings.LastIndex(text, ": ")+len(": "):]
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/follow"
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
	if err != nil {
		return usageError{err}
	}
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	kind, err := find(ctx, cluster, ref)
	if err != nil {
		return misnamed(ctx, cluster, ref, err)
	}
	one := make([]workload.Workload, 1)
	if one[0], err = workload.Get(ctx, cluster, kind, cluster.Namespace, ref.Name); err != nil {
		return err
	}
	if err := workload.Listen(ctx, cluster, one); err != nil {
		return err
	}
	w := one[0]
	if err := r.pick.Check(w); err != nil {
		return err
	}
	if r.follow {
		return a.followLogs(ctx, cluster, w, r)
	}
	return a.printLogs(ctx, cluster, w, r)
}

// find the kind of what is meant: where a name alone is that of no workload, of what ps lists
// besides under it, or of a pod.
func find(ctx context.Context, cluster *connect.Cluster, ref workload.Ref) (workload.Kind, error) {
	kind, _, err := ref.Find(ctx, cluster, cluster.Namespace)
	if !errors.As(err, new(workload.NoneError)) || len(ref.Kinds) == 1 {
		return kind, err
	}
	switch loose := looseNamed(ctx, cluster, ref.Name); len(loose) {
	case 0:
		if _, none := workload.Get(ctx, cluster, workload.Pod(), cluster.Namespace, ref.Name); none != nil {
			return kind, err
		}
		return workload.Pod(), nil
	case 1:
		return loose[0].Kind, nil
	default:
		return kind, fmt.Errorf("%q is both %s and %s; write one of them", ref.Name, loose[0], loose[1])
	}
}

// misnamed is the error of a name that is of nothing of the kinds that are meant: where it is that of a
// gang, or begins with a namespace, as "slipway why" takes both, it says what to write.
func misnamed(ctx context.Context, cluster *connect.Cluster, ref workload.Ref, err error) error {
	if !errors.As(err, new(workload.NoneError)) {
		return err
	}
	if len(ref.Kinds) == 1 {
		namespace := ref.Kinds[0].Name
		if ref.Kinds[0].IsLoose() && cluster.Get(ctx, client.ObjectKey{Name: namespace}, &corev1.Namespace{}) == nil {
			return fmt.Errorf("%s is no kind, but a namespace; write: -n %[1]s %s", namespace, ref.Name)
		}
		return err
	}
	gang := &slipwayv1.Gang{}
	if cluster.Get(ctx, client.ObjectKey{Namespace: cluster.Namespace, Name: ref.Name}, gang) != nil {
		return err
	}
	if owner := metav1.GetControllerOf(gang); owner != nil {
		return fmt.Errorf("%s is the gang of %s/%s; name that", ref.Name, strings.ToLower(owner.Kind), owner.Name)
	}
	return err
}

// looseNamed is what ps lists under a name besides jobs and models; nothing to who may not list
// pods, and is told so by what asks for more.
func looseNamed(ctx context.Context, cluster *connect.Cluster, name string) []workload.Workload {
	pods, _ := workload.ListScheduled(ctx, cluster, cluster.Namespace, nil)
	loose := slices.DeleteFunc(workload.Loose(pods), func(w workload.Workload) bool { return w.Object.GetName() != name })
	sortWorkloads(loose)
	return loose
}

// followLogs says nothing about a workload that runs as it should.
func (a *app) followLogs(ctx context.Context, cluster *connect.Cluster, w workload.Workload, r reading) error {
	watching, f, err := a.follower(ctx, cluster, w.Kind, client.ObjectKeyFromObject(w.Object))
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
		if silence := cmp.Or(w.Silence(&pods[i]), nodeless(&pods[i])); silence != "" {
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

// nodeless says why a pod has no node yet: of such a one the API server gives an empty log. Empty for
// one that has.
func nodeless(pod *corev1.Pod) string {
	if pod.Spec.NodeName != "" || pod.Status.Phase != corev1.PodPending {
		return ""
	}
	return "it is waiting: " + workload.Unscheduled(pod)
}

func (a *app) printLog(ctx context.Context, cluster *connect.Cluster, pod *corev1.Pod, prefix string, options *corev1.PodLogOptions) error {
	log, err := opener(cluster)(ctx, pod, options)
	if isUnreached(err) {
		return fmt.Errorf("the log of pod %s cannot be read: its node %s does not answer (%s); if it stays so that is noticed within half a minute, and slipway ps says what becomes of the pod; then try again",
			pod.Name, pod.Spec.NodeName, lastCause(err))
	}
	if options.Previous && apierrors.IsBadRequest(err) && strings.HasPrefix(err.Error(), "previous terminated container ") {
		return lostLog(pod, options)
	}
	if err != nil {
		return fmt.Errorf("reading the log of pod %s: %w", pod.Name, err)
	}
	defer func() { _ = log.Close() }()
	text := bufio.NewReaderSize(log, longestRefusal)
	if first, err := text.Peek(longestRefusal); errors.Is(err, io.EOF) && refusal.Match(first) {
		return lostLog(pod, options)
	}
	return follow.Copy(a.Stdout, text, prefix)
}

// refusal is what a kubelet says in place of a log that is not there any more, as if it were the log.
var refusal = regexp.MustCompile(`^unable to retrieve container logs for \S+\n?$`)

// longestRefusal is more than a refusal has, in bytes.
const longestRefusal = 512

// lostLog is the error for a log that there is none of.
func lostLog(pod *corev1.Pod, options *corev1.PodLogOptions) error {
	if options.Previous {
		return fmt.Errorf("container %s of pod %s has not been restarted, or the log of its run before is gone; for that of its last run leave out --previous",
			options.Container, pod.Name)
	}
	return fmt.Errorf("the log of container %s of pod %s is gone: its node has removed it", options.Container, pod.Name)
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

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/objects"
	"slipway.dev/slipway/internal/cli/workload"
)

// training is one "slipway train".
type training struct {
	objects.Train
	making
	maxRunTime   time.Duration
	volumeSize   string
	files        []string
	wait, follow bool
}

func (a *app) train() *cobra.Command {
	var t training
	cmd := &cobra.Command{
		Use:   "train NAME --image IMAGE [flags] -- COMMAND... | train -F FILE",
		Short: "Start a training run",
		Long: `Start a training run of one or more pods, as a PyTorchJob: the first pod is the
master, the others are workers. Each runs the command and finds RANK, WORLD_SIZE,
MASTER_ADDR and MASTER_PORT, and what torchrun reads, in its environment.

With --file, manifests that you have are applied as they are, of any kind of job.`,
		Example: `  slipway train tiny --image tinylm --workers 2 --volume data:/data --volume-size 10Gi --follow -- python train.py
  slipway train tiny --image tinylm --gpus 8 --dry-run -o yaml -- torchrun train.py
  slipway train -F job.yaml --wait`,
		GroupID:           groupTrain,
		Args:              nameOrFiles("NAME", &t.files),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.check(); err != nil {
				return err
			}
			if len(t.files) > 0 {
				return a.trainFiles(cmd.Context(), t)
			}
			t.Name, t.Command = args[0], after(cmd, args)
			if cmd.Flags().Changed("max-run-time") {
				t.MaxRunTime = &t.maxRunTime
			}
			return a.trainOne(cmd.Context(), t)
		},
	}
	t.register(cmd)
	_ = cmd.RegisterFlagCompletionFunc("project", a.completeNames(&slipwayv1.ProjectList{}))
	_ = cmd.RegisterFlagCompletionFunc("volume", a.completeClaims)
	return cmd
}

func (t *training) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&t.Image, "image", "", "container `image`; pulled where a node does not have it")
	flags.Int32Var(&t.Workers, "workers", 1, "`number` of pods")
	flags.StringVar(&t.ProcessesPerPod, "nproc-per-node", "", "processes that torchrun starts in each pod: auto, cpu, gpu or a `number`")
	registerContainer(flags, &t.Resources, &t.Env)
	flags.StringArrayVar(&t.Volumes, "volume", nil, "mount a claim, as `CLAIM:/path`; repeatable")
	flags.StringVar(&t.volumeSize, "volume-size", "", "make the claims that do not exist, of this `size`")
	flags.StringVar(&t.RestartPolicy, "restart-policy", "", "`policy` when a pod fails: Never, OnFailure, Always or ExitCode (default: OnFailure)")
	flags.DurationVar(&t.maxRunTime, "max-run-time", 0, "longest `time` that it may run, such as 90m or 36h (default: no limit)")
	flags.StringVar(&t.Project, "project", "", "`name` of the project whose quota is charged; --queue means the same")
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "queue" {
			name = "project"
		}
		return pflag.NormalizedName(name)
	})
	flags.StringArrayVarP(&t.files, "file", "F", nil, "`file` with manifests to apply, - for standard input; repeatable")
	flags.BoolVar(&t.wait, "wait", false, "wait for the end; the exit code tells the result")
	flags.BoolVarP(&t.follow, "follow", "f", false, "like --wait, and print the log of rank 0")
	t.making.register(cmd)
	offer(cmd, "restart-policy", objects.RestartPolicies()...)
	offer(cmd, "nproc-per-node", "auto", "cpu", "gpu")
}

// registerContainer adds the flags that training and serving share.
func registerContainer(flags *pflag.FlagSet, r *objects.Resources, env *[]string) {
	flags.StringVar(&r.CPU, "cpu", "", "CPUs of each pod, a `quantity` such as 2 or 500m")
	flags.StringVar(&r.Memory, "memory", "", "memory of each pod, a `quantity` such as 8Gi; also its limit")
	flags.Int32Var(&r.GPUs, "gpus", 0, "`number` of GPUs of each pod")
	flags.StringArrayVar(env, "env", nil, "environment variable, as `NAME=VALUE`; repeatable")
}

func (t training) check() error {
	if t.dryRun != "none" && (t.wait || t.follow) {
		return wrongUsage("a dry run makes nothing to wait for; leave out --wait and --follow")
	}
	return t.making.check()
}

// withFiles are the flags of verbs that make objects which mean something for files, too.
var withFiles = []string{"file", "wait", "follow", "dry-run", "output"}

// nameOrFiles takes one name, or files and no name.
func nameOrFiles(what string, files *[]string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(*files) == 0 {
			return oneName(what)(cmd, args)
		}
		given := slices.Clone(args)
		cmd.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
			if flag.Changed && !slices.Contains(withFiles, flag.Name) {
				given = append(given, "--"+flag.Name)
			}
		})
		if len(given) > 0 {
			return wrongUsage("%s is given with --file; the files say what to make, leave it out", strings.Join(given, " "))
		}
		return nil
	}
}

func (a *app) trainOne(ctx context.Context, t training) error {
	t.Namespace = a.cluster.KnownNamespace()
	job, err := t.PyTorchJob()
	if err != nil {
		return usageError{err}
	}
	claims, err := t.Claims(t.volumeSize)
	if err != nil {
		return usageError{err}
	}
	if t.clientOnly() {
		return a.report(t.making, outcomes("created", append(clientObjects(claims), job))...)
	}
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	job.Namespace = cluster.Namespace
	if err := a.createJob(ctx, cluster, t, claims, job); err != nil {
		return err
	}
	return a.afterTrain(ctx, cluster, t, job)
}

func clientObjects[T client.Object](typed []T) []client.Object {
	var out []client.Object
	for _, object := range typed {
		out = append(out, object)
	}
	return out
}

// createJob lets the cluster check the job before the claims are made, so that
// nothing is left behind by one that it refuses.
func (a *app) createJob(ctx context.Context, cluster *connect.Cluster, t training, claims []*corev1.PersistentVolumeClaim, job *kubeflowv1.PyTorchJob) error {
	if err := usableProject(ctx, cluster, t.Project); err != nil {
		return fmt.Errorf("--project: %w", err)
	}
	if err := connect.Create(ctx, client.NewDryRunClient(cluster.Client), job.DeepCopy(), fieldOwner); err != nil {
		return a.explainCreate(err, job)
	}
	c := t.client(cluster)
	var done []outcome
	for _, claim := range claims {
		claim.Namespace = cluster.Namespace
		switch err := connect.Create(ctx, c, claim, fieldOwner); {
		case apierrors.IsAlreadyExists(err):
		case err != nil:
			return errors.Join(a.report(t.making, done...), fmt.Errorf("making the claim %s: %w", claim.Name, err))
		default:
			done = append(done, outcome{claim, "created"})
		}
	}
	if err := connect.Create(ctx, c, job, fieldOwner); err != nil {
		return errors.Join(a.report(t.making, done...), a.explainCreate(err, job))
	}
	return a.report(t.making, append(done, outcome{job, "created"})...)
}

// usableProject says now what the job would wait for in vain: a project that is not there, or
// that cannot be used. Who may not read projects is told by the scheduler.
func usableProject(ctx context.Context, cluster *connect.Cluster, name string) error {
	if name == "" {
		return nil
	}
	p := &slipwayv1.Project{}
	switch err := cluster.Get(ctx, client.ObjectKey{Name: name}, p); {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no project %q; name one that slipway queue shows, or leave it out for the one of the namespace", name)
	case apierrors.IsForbidden(err):
		return nil
	case err != nil:
		return fmt.Errorf("reading project %s: %w", name, err)
	}
	if c := meta.FindStatusCondition(p.Status.Conditions, slipwayv1.ConditionReady); c != nil && c.Status == metav1.ConditionFalse {
		return fmt.Errorf("project %q cannot be used: %s", name, c.Message)
	}
	return nil
}

func (a *app) explainCreate(err error, job *kubeflowv1.PyTorchJob) error {
	if apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("%s exists already in namespace %s; choose another name, or delete it with: slipway delete %s%s",
			reference(job), job.Namespace, reference(job), a.inNamespace())
	}
	return fmt.Errorf("making %s: %w", reference(job), err)
}

// afterTrain follows the job, or says what to do next.
func (a *app) afterTrain(ctx context.Context, cluster *connect.Cluster, t training, job *kubeflowv1.PyTorchJob) error {
	if t.wait || t.follow {
		kind, _ := workload.KindOf(job)
		return a.followJob(ctx, cluster, kind, client.ObjectKeyFromObject(job), t.follow)
	}
	if t.dryRun != "none" || t.format != "" {
		return nil
	}
	each, with := "", ", each with "
	if t.Workers == 1 {
		with = " with "
	}
	if words := t.Resources.String(); words != "" {
		each = with + words
	}
	fmt.Fprintf(a.Stderr, "%s%s\n", pods(t.Workers), each)
	a.suggest(
		"follow its log", "slipway logs -f "+t.Name,
		"see whether it waits", "slipway ps",
		"stop and remove it", "slipway delete "+t.Name,
	)
	return nil
}

func pods(n int32) string {
	switch n {
	case 1:
		return "1 pod"
	case 2:
		return "2 pods: 1 master, 1 worker"
	}
	return fmt.Sprintf("%d pods: 1 master, %d workers", n, n-1)
}

// suggest prints what a person may want to do next: pairs of words and command.
func (a *app) suggest(pairs ...string) {
	width := 0
	for i := 0; i < len(pairs); i += 2 {
		width = max(width, len(pairs[i]))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(a.Stderr, "  %-*s  %s%s\n", width+1, pairs[i]+":", pairs[i+1], a.inNamespace())
	}
}

func (a *app) trainFiles(ctx context.Context, t training) error {
	applied, err := a.applyFiles(ctx, t.files, t.making)
	if err != nil || t.dryRun != "none" {
		return err
	}
	var jobs, made []client.Object
	for _, each := range applied {
		kind, known := workload.KindOf(each.object)
		if !known || kind.Serves {
			continue
		}
		jobs = append(jobs, each.object)
		if each.verb == "created" {
			made = append(made, each.object)
		}
	}
	if !t.wait && !t.follow {
		return a.refusals(ctx, made)
	}
	if len(jobs) != 1 {
		return fmt.Errorf("--wait and --follow are for one job and the files have %d; follow each with: slipway logs -f NAME", len(jobs))
	}
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	kind, _ := workload.KindOf(jobs[0])
	return a.followJob(ctx, cluster, kind, client.ObjectKeyFromObject(jobs[0]), t.follow)
}

// verdictTime is how long a controller may take to look at new jobs, and verdictPause how long between
// two looks at whether it has.
const (
	verdictTime  = 2 * time.Second
	verdictPause = 50 * time.Millisecond
)

// refusals of jobs that were just made: the schema lets much pass that their controller does not, and
// what it refuses has ended before it began. Where none looks at them that is for ps to say.
func (a *app) refusals(ctx context.Context, jobs []client.Object) error {
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, verdictTime)
	defer cancel()
	var all []error
	for _, job := range jobs {
		kind, _ := workload.KindOf(job)
		var state workload.State
		_ = wait.PollUntilContextCancel(ctx, verdictPause, true, func(ctx context.Context) (bool, error) {
			w, err := workload.Get(ctx, cluster, kind, job.GetNamespace(), job.GetName())
			if err == nil {
				state = w.State()
			}
			return state.Status != workload.StatusPending, err
		})
		if state.Failed {
			all = append(all, fmt.Errorf("%s failed at once: %s", reference(job), state.Reason))
		}
	}
	return errors.Join(all...)
}

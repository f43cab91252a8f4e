// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/top"
)

func (a *app) queue() *cobra.Command {
	return &cobra.Command{
		Use:   "queue",
		Short: "Show projects, what they use of their quota, and what waits",
		Long: `Show the tree of projects with what each is guaranteed, may use at most, uses and
borrows, and then the gangs that wait, and pods that have none, of all namespaces or the
one of --namespace, with the reason.`,
		Args:    cobra.NoArgs,
		GroupID: groupLook,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.showQueue(cmd.Context()) },
	}
}

func (a *app) showQueue(ctx context.Context) error {
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	here := client.InNamespace(a.cluster.Namespace) // all, where none was asked for
	var projects slipwayv1.ProjectList
	if err := cluster.List(ctx, &projects); err != nil {
		return fmt.Errorf("listing projects: %w", err)
	}
	var gangs slipwayv1.GangList
	if err := cluster.List(ctx, &gangs, here); err != nil {
		return fmt.Errorf("listing gangs: %w", err)
	}
	if len(projects.Items) == 0 {
		fmt.Fprintln(a.Stderr, "there are no projects: all gangs share the cluster, by priority and age")
	} else if err := top.PrintProjects(a.Stdout, asWritten(projects.Items), true); err != nil {
		return err
	}
	pods, err := waitingPods(ctx, cluster, here)
	if err != nil {
		return err
	}
	return printWaiting(a.Stdout, append(waitingGangs(gangs.Items), pods...), time.Now())
}

// asWritten is the tree of projects with what the scheduler last wrote of them: that may be
// read by those who may not see the whole cluster.
func asWritten(projects []slipwayv1.Project) []top.Project {
	var all []*slipwayv1.Project
	for i := range projects {
		all = append(all, &projects[i])
	}
	return top.Tree(all, "name", func(p *slipwayv1.Project) top.Project { return top.ProjectOf(p, &p.Status) })
}

// waiting is a line about what waits.
type waiting struct {
	name, namespace, why string
	priority             int32
	since                time.Time
}

func waitingGangs(gangs []slipwayv1.Gang) []waiting {
	var all []waiting
	for i := range gangs {
		g := &gangs[i]
		c := g.Status.Placed()
		if g.DeletionTimestamp == nil && c != nil && c.Status == metav1.ConditionFalse {
			all = append(all, waiting{g.Name, g.Namespace, c.Message, g.Spec.Priority, g.CreationTimestamp.Time})
		}
	}
	return all
}

// waitingPods that the scheduler binds and that have no Gang. Those that wait for the
// same, as the pods of a group do, are one line. Who may not list all pods sees none.
func waitingPods(ctx context.Context, r client.Reader, where client.InNamespace) ([]waiting, error) {
	var pods corev1.PodList
	err := r.List(ctx, &pods, where, client.MatchingFields{"spec.schedulerName": slipwayv1.SchedulerName, "status.phase": string(corev1.PodPending)})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	var all []waiting
	more := map[[2]string]int{}
	for i := range pods.Items {
		p := &pods.Items[i]
		why := unschedulable(p)
		if why == "" || p.Spec.SchedulerName != slipwayv1.SchedulerName || p.Labels[slipwayv1.LabelGang] != "" {
			continue
		}
		key := [2]string{p.Namespace, why}
		if more[key]++; more[key] == 1 {
			all = append(all, waiting{"pod/" + p.Name, p.Namespace, why, ptr.Deref(p.Spec.Priority, 0), p.CreationTimestamp.Time})
		}
	}
	for i := range all {
		if n := more[[2]string{all[i].namespace, all[i].why}] - 1; n > 0 {
			all[i].name += fmt.Sprintf(" and %d more", n)
		}
	}
	return all, nil
}

func unschedulable(p *corev1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return c.Message
		}
	}
	return ""
}

// printWaiting, those first that wait longest.
func printWaiting(out io.Writer, all []waiting, now time.Time) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "nothing waits")
		return err
	}
	slices.SortFunc(all, func(a, b waiting) int {
		return cmp.Or(a.since.Compare(b.since), strings.Compare(a.namespace, b.namespace), strings.Compare(a.name, b.name))
	})
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nWAITS\tNAMESPACE\tPRIORITY\tFOR\tREASON")
	for _, one := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", one.name, one.namespace, one.priority, duration.HumanDuration(now.Sub(one.since)), one.why)
	}
	return w.Flush()
}

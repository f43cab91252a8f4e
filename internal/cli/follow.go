// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/follow"
	"slipway.dev/slipway/internal/cli/live"
	"slipway.dev/slipway/internal/cli/workload"
)

// follower watches one workload and tells its changes of state on standard
// error. The context that it returns also ends when watching is hopeless.
func (a *app) follower(ctx context.Context, cluster *connect.Cluster, kind workload.Kind, key client.ObjectKey) (context.Context, *follow.Follower, error) {
	ctx, view, err := live.Open(ctx, cluster, live.Scope{Kind: kind, Namespace: key.Namespace, Name: key.Name})
	if err != nil {
		return ctx, nil, err
	}
	return ctx, &follow.Follower{
		View: view,
		Open: opener(cluster),
		Say: func(s workload.State) {
			fmt.Fprintf(a.Stderr, "%s %s\n", key.Name, stateLine(s))
		},
		Lost: func(err error) {
			fmt.Fprintf(a.Stderr, "%s; trying again\n", cutFix(connect.Explain(err).Error()))
		},
	}, nil
}

// stateLine is "waiting: reason", with how many pods run while some should.
func stateLine(s workload.State) string {
	line := strings.ToLower(s.Status)
	if !s.Ended && s.Total > 1 {
		line += fmt.Sprintf(" %d/%d", s.Running, s.Total)
	}
	if s.Reason != "" {
		line += ": " + s.Reason
	}
	return line
}

func cutFix(text string) string {
	cause, _, _ := strings.Cut(oneLine(text), "; ")
	return cause
}

func opener(cluster *connect.Cluster) follow.Opener {
	return func(ctx context.Context, pod *corev1.Pod, options *corev1.PodLogOptions) (io.ReadCloser, error) {
		return cluster.Pods.Pods(pod.Namespace).GetLogs(pod.Name, options).Stream(ctx)
	}
}

// followJob waits for the end of a job, with the log of rank 0 or without. The
// error says that the job failed, or that it does not start unless a person acts.
func (a *app) followJob(ctx context.Context, cluster *connect.Cluster, kind workload.Kind, key client.ObjectKey, log bool) error {
	name := kind.Name + "/" + key.Name
	watching, f, err := a.follower(ctx, cluster, kind, key)
	if err != nil {
		return err
	}
	f.Until = func(s workload.State) bool { return s.Stalled }
	if log {
		f.Pick = &follow.Pick{Rank: follow.Leading}
	}
	state, err := f.Run(watching, a.Stdout)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintf(a.Stderr, "stopped following; %s goes on\n", name)
		a.suggest("follow it again", "slipway logs -f "+key.Name, "stop and remove it", "slipway delete "+key.Name)
		return ctx.Err()
	case err != nil:
		return err
	case state == nil:
		return fmt.Errorf("%s was deleted before it ended; start it again with: slipway train", name)
	case state.Stalled:
		return fmt.Errorf("%s cannot start as things are: %s; it stays in the queue; see: slipway why %s%s, or remove it with: slipway delete %s%s",
			name, state.Reason, name, a.inNamespace(), name, a.inNamespace())
	case state.Failed:
		return fmt.Errorf("%s failed: %s; see: slipway logs --all %s%s", name, state.Reason, key.Name, a.inNamespace())
	}
	return nil
}

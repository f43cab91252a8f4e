// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/objects"
	"slipway.dev/slipway/internal/cli/workload"
)

// deployment is one "slipway deploy".
type deployment struct {
	objects.Deploy
	making
	replicas int32
	files    []string
	wait     bool
}

func (a *app) deploy() *cobra.Command {
	var d deployment
	cmd := &cobra.Command{
		Use:   "deploy NAME --image IMAGE [flags] [-- COMMAND...] | deploy -F FILE",
		Short: "Serve a model at an endpoint, or change one",
		Long: `Serve a model at an endpoint that speaks the OpenAI API, as a Model. The image is
any server of that API; it finds the weights at /models. Deploying a name again
changes what is served without a pause.

With --file, manifests that you have are applied as they are.`,
		Example: `  slipway deploy tiny --image tinylm --claim data:checkpoints/last --wait -- python serve.py
  slipway deploy tiny --image tinylm --dry-run -o yaml`,
		GroupID:           groupServe,
		Args:              nameOrFiles("NAME", &d.files),
		ValidArgsFunction: a.completeWorkloads(false, false, workload.Model()),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := d.check(); err != nil {
				return err
			}
			if len(d.files) > 0 {
				return a.deployFiles(cmd.Context(), d)
			}
			d.Name, d.Command = args[0], after(cmd, args)
			if cmd.Flags().Changed("replicas") {
				d.Replicas = &d.replicas
			}
			return a.deployOne(cmd.Context(), d)
		},
	}
	d.register(cmd)
	return cmd
}

func (d *deployment) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&d.Image, "image", "", "container `image` of the server; pulled where a node does not have it")
	flags.StringVar(&d.Claim, "claim", "", "claim with the weights, as `CLAIM[:path]`; mounted at /models")
	flags.Int32Var(&d.Port, "port", 0, "`port` on which the container serves (default: 8000)")
	flags.StringVar(&d.ReadyPath, "ready-path", "", "`path` that answers 200 once the weights are loaded (default: /health)")
	flags.Int32Var(&d.replicas, "replicas", 1, "`number` of replicas; 0 stops the model")
	registerContainer(flags, &d.Resources, &d.Env)
	flags.StringArrayVarP(&d.files, "file", "F", nil, "`file` with manifests to apply, - for standard input; repeatable")
	flags.BoolVar(&d.wait, "wait", false, "wait until it answers")
	d.making.register(cmd)
}

func (d deployment) check() error {
	if d.dryRun != "none" && d.wait {
		return wrongUsage("a dry run makes nothing to wait for; leave out --wait")
	}
	return d.making.check()
}

func (a *app) deployOne(ctx context.Context, d deployment) error {
	d.Namespace = a.cluster.KnownNamespace()
	model, err := d.Model()
	if err != nil {
		return usageError{err}
	}
	if d.clientOnly() {
		return a.report(d.making, outcome{model, "applied"})
	}
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	model.Namespace = cluster.Namespace
	fields, err := plainFields(model)
	if err != nil {
		return err
	}
	applied := &unstructured.Unstructured{Object: fields}
	verb, err := apply(ctx, d.client(cluster), applied)
	if err != nil {
		return fmt.Errorf("making %s: %w", reference(model), err)
	}
	if err := a.report(d.making, outcome{applied, verb}); err != nil || d.dryRun != "none" {
		return err
	}
	return a.afterDeploy(ctx, cluster, d, client.ObjectKeyFromObject(model))
}

func (a *app) afterDeploy(ctx context.Context, cluster *connect.Cluster, d deployment, key client.ObjectKey) error {
	switch {
	case d.wait:
		return a.awaitModel(ctx, cluster, key)
	case d.format == "":
		a.suggest(
			"see whether it answers", "slipway ps",
			"ask it", "slipway chat "+key.Name,
			"stop and remove it", "slipway delete "+key.Name,
		)
	}
	return nil
}

// awaitModel waits until the model answers, and says where; it gives up when a
// person must act first.
func (a *app) awaitModel(ctx context.Context, cluster *connect.Cluster, key client.ObjectKey) error {
	watching, f, err := a.follower(ctx, cluster, workload.Model(), key)
	if err != nil {
		return err
	}
	f.Until = func(s workload.State) bool {
		return s.Stalled || s.Status == workload.StatusReady || s.Status == workload.StatusStopped
	}
	state, err := f.Run(watching, io.Discard)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintf(a.Stderr, "stopped waiting; model/%s starts all the same\n", key.Name)
		return ctx.Err()
	case err != nil:
		return err
	case state == nil:
		return fmt.Errorf("model/%s was deleted before it answered; deploy it again with: slipway deploy", key.Name)
	case state.Stalled:
		return fmt.Errorf("model/%s does not start: %s; see also: slipway logs %s%s", key.Name, state.Reason, key.Name, a.inNamespace())
	case state.Status != workload.StatusReady:
		return nil
	}
	return a.printEndpoint(ctx, cluster, key)
}

func (a *app) printEndpoint(ctx context.Context, cluster *connect.Cluster, key client.ObjectKey) error {
	var model slipwayv1.Model
	if err := cluster.Get(ctx, key, &model); err != nil {
		return err
	}
	fmt.Fprintln(a.Stdout, model.Status.URL)
	body := fmt.Sprintf(`{"model": %q, "messages": [{"role": "user", "content": "Hello"}]}`, model.Name)
	a.suggest(
		"ask it", fmt.Sprintf("slipway chat %s Hello", model.Name),
		"make a key", "slipway key",
	)
	fmt.Fprintf(a.Stderr, "  with curl: curl %s/chat/completions -H \"Authorization: Bearer $(slipway key%s)\" -H 'Content-Type: application/json' -d '%s'\n",
		strings.TrimSuffix(model.Status.URL, "/"), a.inNamespace(), body)
	return nil
}

func (a *app) deployFiles(ctx context.Context, d deployment) error {
	applied, err := a.applyFiles(ctx, d.files, d.making)
	if err != nil || !d.wait {
		return err
	}
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	for _, each := range applied {
		if kind, known := workload.KindOf(each.object); known && kind.Serves {
			if err := a.awaitModel(ctx, cluster, client.ObjectKeyFromObject(each.object)); err != nil {
				return err
			}
		}
	}
	return nil
}

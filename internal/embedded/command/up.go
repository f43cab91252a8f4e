// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"slipway.dev/slipway/internal/embedded/boot"
	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/doctor"
)

func upCommand(dataDir *string) *cobra.Command {
	var shape boot.Shape
	var detach bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster on this machine",
		Long: `Start a cluster on this machine and print each phase of the boot.

In the foreground the cluster runs until Ctrl-C. With --detach the command
returns when the cluster is ready, and "slipway down" ends it. Data stay in the
data directory; the next "up" goes on with them.`,
		Example: `  slipway up
  slipway up --detach --nodes 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := filepath.Abs(*dataDir)
			if err != nil {
				return err
			}
			shape.DataDir = dir
			if detach {
				return upDetached(cmd.Context(), cmd.OutOrStdout(), shape)
			}
			return up(cmd.Context(), cmd.OutOrStdout(), shape)
		},
	}
	cmd.Flags().IntVar(&shape.Nodes, "nodes", 0, "at least so many nodes, on this machine (default 1)")
	cmd.Flags().IntVar(&shape.APIPort, "api-port", 0, fmt.Sprintf("port of the API server (default %d)", boot.DefaultAPIPort))
	cmd.Flags().StringVar(&shape.FrontDoor, "listen", "", "address of the front door (default "+boot.DefaultFrontDoor+")")
	cmd.Flags().BoolVarP(&detach, "detach", "d", false, "return when the cluster is ready and leave it running")
	return cmd
}

func up(ctx context.Context, out io.Writer, shape boot.Shape) error {
	if err := examine(out, shape.DataDir); err != nil {
		return err
	}
	host := cluster.ThisHost()
	if err := boot.RaiseFileLimit(); err != nil {
		return err
	}
	c, err := boot.LoadOrCreate(shape, host)
	if err != nil {
		return err
	}
	began := time.Now()
	return boot.Run(ctx, c, host, newTable(out).show, func() { welcome(out, c, time.Since(began)) })
}

// examine the machine: refuse what cannot work, and say what may be in the way.
func examine(out io.Writer, dataDir string) error {
	findings := doctor.Examine(dataDir)
	if err := doctor.FirstFatal(findings); err != nil {
		return err
	}
	for _, f := range findings {
		if !f.OK() {
			fmt.Fprintf(out, "note: %s: %s; %s\n", f.Check, f.Detail, f.Fix)
		}
	}
	return nil
}

// welcome says how to go on: what follows finds a cluster that is not where others are by the
// environment.
func welcome(out io.Writer, c *cluster.Cluster, took time.Duration) {
	fmt.Fprintf(out, "\nready in %.1f s: %d node(s), API server %s, front door http://%s\n\n", took.Seconds(), len(c.Nodes), c.APIServer(), c.FrontDoor)
	if c.DataDir != cluster.DefaultDataDir() {
		fmt.Fprintf(out, "  export %s=%s\n", cluster.EnvDataDir, c.DataDir)
	}
	fmt.Fprintf(out, "  export KUBECONFIG=%s\n  slipway kubectl get nodes\n  slipway status\n", c.Kubeconfig())
}

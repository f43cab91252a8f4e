// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package command is the command line of slipway-kube, one file for each verb.
// "slipway" hands these verbs over to it with the same arguments.
package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/control"
	"slipway.dev/slipway/internal/ready"
)

// Main runs the program and returns its exit code.
func Main(args []string) int {
	ready.Inherit()
	if len(args) > 1 && args[1] == "kubectl" {
		return runKubectl(args[1:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The second signal ends the process, whatever it is waiting for.
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(args[1:])
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "slipway:", oneLine(err))
		return 1
	}
	return 0
}

// joint is where one error of several ends.
var joint = regexp.MustCompile(`\n(\S)`)

// oneLine keeps a joined error readable in a terminal and in a log. What it quotes
// is indented, and stays in lines of its own.
func oneLine(err error) string { return joint.ReplaceAllString(err.Error(), "; $1") }

func newRoot() *cobra.Command {
	var dataDir string
	root := &cobra.Command{
		Use:           "slipway",
		Short:         "A Kubernetes cluster on this machine",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	// Libraries register flags for programs of Kubernetes' own, and cobra offers them to all.
	pflag.CommandLine.VisitAll(func(f *pflag.Flag) { f.Hidden = true })
	root.PersistentFlags().StringVar(&dataDir, "data-dir", cluster.DefaultDataDir(),
		"directory of the cluster, also $"+cluster.EnvDataDir)
	root.AddCommand(upCommand(&dataDir), downCommand(&dataDir), statusCommand(&dataDir), resetCommand(&dataDir),
		doctorCommand(&dataDir), logsCommand(&dataDir), imageCommand(&dataDir), nodeCommand(&dataDir), roleCommand(&dataDir),
		kubectlCommand())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; \"%s --help\" lists the flags", err, cmd.CommandPath())
	})
	return root
}

// group is a command that does nothing but through those below it.
func group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
				return fmt.Errorf("there is no command %q; did you mean: %s %s", args[0], cmd.CommandPath(), like[0])
			}
			return fmt.Errorf("there is no command %q; see: %s --help", args[0], cmd.CommandPath())
		}}
	cmd.AddCommand(verbs...)
	return cmd
}

// load finds the cluster of a data directory.
func load(dataDir string) (*cluster.Cluster, error) {
	c, err := cluster.Load(dataDir)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%s belongs to root; run it as root, with sudo", dataDir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no cluster in %s; make one with \"slipway up\", or name another directory with --data-dir", dataDir)
	}
	return c, err
}

// running returns a client of the supervisor of a data directory.
func running(dataDir string) (*control.Client, *cluster.Cluster, error) {
	c, err := load(dataDir)
	if err != nil {
		return nil, nil, err
	}
	return control.NewClient(c.ControlSocket()), c, nil
}

// explain adds the fix to the error of a supervisor that is not there.
func explain(err error, dataDir string) error {
	if errors.Is(err, control.ErrNotRunning) {
		return fmt.Errorf("%w on %s; start it with \"slipway up\"", err, dataDir)
	}
	return err
}

func roleCommand(dataDir *string) *cobra.Command {
	role := &cobra.Command{Use: "role", Hidden: true}
	role.AddCommand(roles(dataDir)...)
	return role
}

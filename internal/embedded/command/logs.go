// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"slipway.dev/slipway/internal/embedded/cluster"
)

func logsCommand(dataDir *string) *cobra.Command {
	var follow bool
	var lines int
	cmd := &cobra.Command{
		Use:   "logs COMPONENT",
		Short: "Show the log of a component: server, control, platform, node:NAME, containerd:NAME, supervisor, audit",
		Args:  cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return components(*dataDir), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(*dataDir)
			if err != nil {
				return err
			}
			path, err := logFile(c, args[0])
			if err != nil {
				return err
			}
			tail := exec.CommandContext(cmd.Context(), "tail", "-n", strconv.Itoa(lines), path)
			if follow {
				tail.Args = append(tail.Args, "-F")
			}
			tail.Stdout, tail.Stderr = cmd.OutOrStdout(), os.Stderr
			if err := tail.Run(); err != nil && cmd.Context().Err() == nil {
				return fmt.Errorf("reading %s: %w", path, err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until Ctrl-C")
	cmd.Flags().IntVar(&lines, "tail", 200, "so many lines from the end")
	return cmd
}

// logFile finds a component's log; "node" and "containerd" alone mean those of
// the first node.
func logFile(c *cluster.Cluster, component string) (string, error) {
	known := components(c.DataDir)
	for _, name := range []string{component, component + ":" + c.First().Name} {
		for _, k := range known {
			if k == name {
				return c.Log(name), nil
			}
		}
	}
	return "", fmt.Errorf("there is no component %q; there are %s", component, strings.Join(known, ", "))
}

func components(dataDir string) []string {
	files, _ := filepath.Glob(filepath.Join(dataDir, "log", "*.log"))
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".log"))
	}
	return names
}

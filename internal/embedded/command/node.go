// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/control"
)

func nodeCommand(dataDir *string) *cobra.Command {
	verb := func(use, short, done string, do func(*control.Client, context.Context, string) error) *cobra.Command {
		return &cobra.Command{Use: use + " NAME", Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: completeNodes(dataDir), RunE: func(cmd *cobra.Command, args []string) error {
			if err := cluster.CheckNodeName(args[0]); err != nil {
				return err
			}
			client, _, err := running(*dataDir)
			if err != nil {
				return err
			}
			if err := do(client, cmd.Context(), args[0]); err != nil {
				return explain(err, *dataDir)
			}
			fmt.Fprintln(cmd.OutOrStdout(), strings.ReplaceAll(done, "NAME", args[0]))
			return nil
		}}
	}
	remove := verb("rm", "Remove a node and all that it holds", "NAME is removed", (*control.Client).RemoveNode)
	remove.SuggestFor = []string{"remove", "delete"}
	return group("node", "List, add, remove and kill nodes of the cluster, all on this machine",
		nodeList(dataDir),
		verb("add", "Add a node, or start one again that was killed", "NAME is ready", (*control.Client).AddNode),
		remove,
		verb("kill", "Kill a node as a power failure would, to see what happens", "NAME is dead; start it again with: slipway node add NAME", (*control.Client).KillNode))
}

// completeNodes offers the nodes that the cluster was given, whether they run or not.
func completeNodes(dataDir *string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		c, err := load(*dataDir)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []cobra.Completion
		for _, n := range c.Nodes {
			names = append(names, n.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func nodeList(dataDir *string) *cobra.Command {
	return &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List nodes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, _, err := running(*dataDir)
			if err != nil {
				return err
			}
			nodes, err := client.Nodes(cmd.Context())
			if err != nil {
				return explain(err, *dataDir)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			printNodes(w, nodes)
			return w.Flush()
		}}
}

// printNodes tells of the nodes' processes, and beside them what the API server
// has last heard: a kubelet may run and do nothing.
func printNodes(w io.Writer, nodes []control.Node) {
	fmt.Fprintln(w, "NODE\tADDRESS\tSTATE\tREADY")
	for _, n := range nodes {
		ready := n.Ready
		if n.Why != "" {
			ready += ": " + n.Why
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", n.Name, n.Address, n.State, ready)
	}
}

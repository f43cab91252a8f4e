// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"slipway.dev/slipway/internal/embedded/control"
)

func statusCommand(dataDir *string) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show processes, nodes, versions, memory, boot phases and addresses",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "" && output != "json" {
				return fmt.Errorf("--output %q is not known; leave it out, or write json", output)
			}
			client, _, err := running(*dataDir)
			if err != nil {
				return err
			}
			status, err := client.Status(cmd.Context())
			if err != nil {
				return explain(err, *dataDir)
			}
			if output == "json" {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(status)
			}
			return printStatus(cmd.OutOrStdout(), status)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for the whole status")
	return cmd
}

func printStatus(out io.Writer, s *control.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	state := "starting"
	switch {
	case s.Stopping:
		state = "stopping"
	case s.Ready:
		state = "ready"
	}
	fmt.Fprintf(w, "%s for %s, data in %s\n\n", state, time.Since(s.Started).Round(time.Second), s.Cluster.DataDir)
	fmt.Fprintln(w, "PROCESS\tPID\tREADY\tRESTARTS\tMEMORY")
	for _, p := range s.Processes {
		fmt.Fprintf(w, "%s\t%d\t%t\t%d\t%d MB\n", p.Name, p.PID, p.Ready, p.Restarts, p.Bytes/1e6)
	}
	fmt.Fprintf(w, "shims and pods\t\t\t\t%d MB\n", s.OtherBytes/1e6)
	fmt.Fprintf(w, "together\t\t\t\t%d MB\n\n", s.TotalBytes/1e6)
	printNodes(w, s.Nodes)
	fmt.Fprintln(w, "\nPHASE\tBEGAN\tTOOK")
	for _, p := range s.Phases {
		fmt.Fprintf(w, "%s\t%.2f s\t%.2f s\n", p.Name, p.Begin.Seconds(), p.Took.Seconds())
	}
	for _, list := range []map[string]string{s.Addresses, s.Versions} {
		fmt.Fprintln(w)
		for _, name := range slices.Sorted(maps.Keys(list)) {
			fmt.Fprintf(w, "%s\t%s\n", name, list[name])
		}
	}
	return w.Flush()
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"slipway.dev/slipway/internal/embedded/doctor"
)

func doctorCommand(dataDir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check whether this machine can carry a cluster",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := doctor.Examine(*dataDir)
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, f := range findings {
				mark := "ok"
				if !f.OK() {
					mark = "note"
				}
				if f.Fatal {
					mark = "FAIL"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", mark, f.Check, f.Detail)
				if f.Fix != "" {
					fmt.Fprintf(w, "\t\t→ %s\n", f.Fix)
				}
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if doctor.FirstFatal(findings) != nil {
				return errors.New("this machine cannot carry a cluster as it is; the lines marked FAIL say what to do")
			}
			return nil
		},
	}
}

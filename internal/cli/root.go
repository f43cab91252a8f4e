// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
)

// Groups of verbs in the help.
const (
	groupTrain   = "train"
	groupServe   = "serve"
	groupLook    = "look"
	groupCluster = "cluster"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "slipway",
		Short: "The whole life of a language model on Kubernetes",
		Long: `Slipway: train, serve and use language models on Kubernetes, on a laptop or thousands of nodes.

  slipway up                                     a cluster on this machine
  slipway train tiny --image I -- python t.py    a training run
  slipway deploy tiny --image I --claim data     an endpoint
  slipway chat tiny "Hello"                      an answer`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		Args:                       cobra.ArbitraryArgs,
		ValidArgsFunction:          cobra.NoFileCompletions,
		SuggestionsMinimumDistance: 2,
	}
	root.SetFlagErrorFunc(flagError)
	a.cluster.Register(root.PersistentFlags())
	root.Version = version()
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().Bool("version", false, "print the version of this program")
	root.AddGroup(
		&cobra.Group{ID: groupTrain, Title: "Training:"},
		&cobra.Group{ID: groupServe, Title: "Serving:"},
		&cobra.Group{ID: groupLook, Title: "Both:"},
		&cobra.Group{ID: groupCluster, Title: "A cluster on this machine:"},
	)
	root.AddCommand(
		a.train(),
		a.deploy(), a.chat(), a.key(),
		a.ps(), a.queue(), a.why(), a.simulate(), a.top(), a.logs(), a.delete(),
		a.version(), a.completion(), a.platform(),
	)
	root.AddCommand(a.embedded()...)
	root.CompletionOptions.DisableDefaultCmd = true
	cobra.EnableCommandSorting = false
	_ = root.RegisterFlagCompletionFunc("namespace", a.completeNames(&corev1.NamespaceList{}))
	completeFilesOnly(root)
	return root
}

// inNamespace is what a suggested command needs to mean the same namespace.
func (a *app) inNamespace() string {
	if a.cluster.Namespace == "" {
		return ""
	}
	return " -n " + a.cluster.Namespace
}

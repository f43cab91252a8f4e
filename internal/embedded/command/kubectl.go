// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	kubectl "k8s.io/kubectl/pkg/cmd"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// kubectlCommand stands in help and completion for what Main hands to runKubectl. It is
// reached with flags before the verb alone, which kubectl would not see.
func kubectlCommand() *cobra.Command {
	return &cobra.Command{Use: "kubectl", Short: "Run kubectl against the cluster", DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("flags of kubectl belong behind its name, as in: slipway kubectl --data-dir D get nodes")
		}}
}

// runKubectl is kubectl, with the cluster's kubeconfig unless one is given. It
// returns the exit code.
func runKubectl(args []string) int {
	dataDir, args := takeDataDir(args)
	if err := chooseKubeconfig(dataDir, ours(args)); err != nil {
		fmt.Fprintln(os.Stderr, "slipway:", err)
		return 1
	}
	os.Args = args
	cmd := kubectl.NewDefaultKubectlCommand()
	cmd.SetArgs(args[1:])
	if err := cmd.Execute(); err != nil {
		return 1
	}
	return 0
}

// chooseKubeconfig prefers a file that is given to a directory that is, that to a variable,
// and all of them to the cluster of this user. Without any there is no command: the user's own
// kubeconfig may name a cluster that this one is not meant for.
func chooseKubeconfig(dataDir string, args []string) error {
	if kubeconfigGiven(args) || dataDir == "" && os.Getenv("KUBECONFIG") != "" {
		return nil
	}
	dataDir = cmp.Or(dataDir, cluster.DefaultDataDir())
	kubeconfig := filepath.Join(dataDir, "kubeconfig")
	if _, err := os.Stat(kubeconfig); err == nil {
		return os.Setenv("KUBECONFIG", kubeconfig)
	}
	if local(args) {
		return nil
	}
	_, err := load(dataDir)
	return err
}

// ours are the arguments without those of a program in a pod, which follow "--".
func ours(args []string) []string {
	if i := slices.Index(args, "--"); i >= 0 {
		return args[:i]
	}
	return args
}

// local says that a command of kubectl's needs no cluster.
func local(args []string) bool {
	needless := []string{"help", "version", "options", "kustomize", "completion", "config", "plugin", "__complete", "__completeNoDesc"}
	for _, arg := range args[1:] {
		if !strings.HasPrefix(arg, "-") {
			return slices.Contains(needless, arg) || askedForHelp(args)
		}
	}
	return true
}

func askedForHelp(args []string) bool {
	return slices.Contains(args, "--help") || slices.Contains(args, "-h")
}

// takeDataDir takes our own flag out of kubectl's arguments; the directory is empty without.
func takeDataDir(args []string) (string, []string) {
	for i, arg := range ours(args) {
		if dir, found := strings.CutPrefix(arg, "--data-dir="); found {
			return dir, slices.Delete(slices.Clone(args), i, i+1)
		}
		if arg == "--data-dir" && i+1 < len(args) {
			return args[i+1], slices.Delete(slices.Clone(args), i, i+2)
		}
	}
	return "", args
}

func kubeconfigGiven(args []string) bool {
	flag := func(arg string) bool { return arg == "--kubeconfig" || strings.HasPrefix(arg, "--kubeconfig=") }
	return slices.ContainsFunc(args, flag)
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	kubectl "k8s.io/kubectl/pkg/cmd"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// runKubectl is kubectl, with the cluster's kubeconfig unless one is given. It
// returns the exit code.
func runKubectl(args []string) int {
	dataDir, args := takeDataDir(args)
	if err := chooseKubeconfig(dataDir, args); err != nil {
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

// chooseKubeconfig prefers what is given to the cluster's. Without either there
// is no command: the user's own kubeconfig may name a cluster that this one is
// not meant for.
func chooseKubeconfig(dataDir string, args []string) error {
	if kubeconfigGiven(args) || local(args) {
		return nil
	}
	kubeconfig := filepath.Join(dataDir, "kubeconfig")
	if _, err := os.Stat(kubeconfig); err == nil {
		return os.Setenv("KUBECONFIG", kubeconfig)
	}
	_, err := load(dataDir)
	return err
}

// local says that a command of kubectl's needs no cluster.
func local(args []string) bool {
	needless := []string{"help", "version", "options", "kustomize", "completion", "config", "plugin", "__complete", "__completeNoDesc", "--help", "-h"}
	return len(args) < 2 || slices.ContainsFunc(args[1:], func(arg string) bool { return slices.Contains(needless, arg) })
}

// takeDataDir takes our own flag out of kubectl's arguments. What follows "--"
// belongs to a program in a pod.
func takeDataDir(args []string) (string, []string) {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if dir, found := strings.CutPrefix(arg, "--data-dir="); found {
			return dir, slices.Delete(slices.Clone(args), i, i+1)
		}
		if arg == "--data-dir" && i+1 < len(args) {
			return args[i+1], slices.Delete(slices.Clone(args), i, i+2)
		}
	}
	return cluster.DefaultDataDir(), args
}

func kubeconfigGiven(args []string) bool {
	flag := func(arg string) bool { return arg == "--kubeconfig" || strings.HasPrefix(arg, "--kubeconfig=") }
	return slices.ContainsFunc(args, flag) || os.Getenv("KUBECONFIG") != ""
}

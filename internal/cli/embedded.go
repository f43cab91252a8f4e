// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/release"
)

// The program of the embedded Kubernetes, and the variables that say where it
// is, and to it, where we are.
const (
	kubeProgram = "slipway-kube"
	envKube     = "SLIPWAY_KUBE"
	envPlatform = "SLIPWAY_PLATFORM"
)

// embedded are the verbs that slipway-kube carries out. Their flags, help and
// completion are its own.
func (a *app) embedded() []*cobra.Command {
	var verbs []*cobra.Command
	for _, verb := range []struct{ name, short string }{
		{"up", "Start a Kubernetes cluster with Slipway on this machine"},
		{"down", "Stop the cluster; what it holds stays"},
		{"status", "Show the cluster's processes, versions, memory and addresses"},
		{"reset", "Remove the cluster and everything that it changed on this machine"},
		{"doctor", "Check that this machine can run a cluster"},
		{"kubectl", "Run kubectl against the cluster"},
		{"image", "Import, list and remove container images"},
		{"node", "List, add, remove and kill nodes"},
	} {
		cmd := &cobra.Command{
			Use: verb.name, Short: verb.short, GroupID: groupCluster,
			DisableFlagParsing: true,
			RunE:               func(*cobra.Command, []string) error { return a.handOverVerb() },
			ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
				// The process asked for completions with "__complete VERB …":
				// so the other program is asked the same. It returns only when
				// there is none.
				_ = a.handOver(a.Args[1:])
				return nil, cobra.ShellCompDirectiveNoFileComp
			},
		}
		cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
			cmd.PrintErrln("slipway: " + oneLine(a.handOver([]string{cmd.Name(), "--help"}).Error()))
		})
		verbs = append(verbs, cmd)
	}
	return verbs
}

// handOverVerb that this program was asked for.
func (a *app) handOverVerb() error {
	args, err := behindVerb(a.Args[1:])
	if err != nil {
		return err
	}
	return a.handOver(args)
}

// behindVerb puts flags that stand before the verb behind it, where slipway-kube looks for
// them. Verbs other than kubectl act on the cluster of this machine whatever a kubeconfig
// says, so one that names another is refused: "reset" would remove the wrong one.
func behindVerb(args []string) ([]string, error) {
	var told connect.Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SetInterspersed(false)
	told.Register(set)
	if err := set.Parse(args); err != nil {
		return nil, wrongUsage("%w; put flags of a command behind its name", err)
	}
	verb, rest := set.Arg(0), set.Args()[1:]
	var flags []string
	var refused string
	set.Visit(func(f *pflag.Flag) {
		switch {
		case verb == "kubectl" || f.Name == "data-dir":
			flags = append(flags, "--"+f.Name+"="+f.Value.String())
		case f.Name != "namespace": // which a cluster and its nodes are not in
			refused = f.Name
		}
	})
	if refused != "" {
		return nil, wrongUsage("--%s does not say which cluster %q means, one of this machine; use --data-dir, or leave it out", refused, "slipway "+verb)
	}
	return slices.Concat([]string{verb}, flags, rest), nil
}

// handOver becomes slipway-kube with the given arguments. It returns only when
// it cannot. Both programs then agree on the data directory, and slipway-kube
// finds this one to run the platform with.
func (a *app) handOver(args []string) error {
	path, err := a.locateKube()
	if err != nil {
		return err
	}
	environment := os.Environ()
	if os.Getenv(connect.EnvDataDir) == "" {
		environment = append(environment, connect.EnvDataDir+"="+a.cluster.DataDirectory())
	}
	if self, err := os.Executable(); err == nil && os.Getenv(envPlatform) == "" {
		environment = append(environment, envPlatform+"="+self)
	}
	err = syscall.Exec(path, append([]string{a.Args[0]}, args...), environment)
	return fmt.Errorf("starting the embedded Kubernetes, %s: %w; set %s to the program slipway-kube", path, err, envKube)
}

// locateKube looks where a variable says, beside this program, and inside it.
func (a *app) locateKube() (string, error) {
	if path := os.Getenv(envKube); path != "" {
		return path, nil
	}
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return "", fmt.Errorf("finding the embedded Kubernetes: %w; set %s to the program slipway-kube", err, envKube)
	}
	beside := filepath.Join(filepath.Dir(self), kubeProgram)
	if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
		return beside, nil
	}
	dir, err := release.Unpack(self, cmp.Or(a.Cache, cacheDirectory(os.Geteuid() == 0, os.Getenv)))
	switch {
	case errors.Is(err, release.ErrNone):
		return "", fmt.Errorf("this slipway has no embedded Kubernetes inside; use a release, put %s beside %s, or set %s", kubeProgram, self, envKube)
	case errors.Is(err, release.ErrDamaged):
		return "", fmt.Errorf("%w; download slipway again", err)
	}
	return filepath.Join(dir, kubeProgram), err
}

// cacheDirectory never lies in another user's home, which HOME and XDG_CACHE_HOME
// may be under sudo: what is in it runs as root.
func cacheDirectory(root bool, getenv func(string) string) string {
	switch {
	case root:
		return "/var/cache/slipway"
	case filepath.IsAbs(getenv("XDG_CACHE_HOME")):
		return filepath.Join(getenv("XDG_CACHE_HOME"), "slipway")
	}
	return filepath.Join(getenv("HOME"), ".cache", "slipway")
}

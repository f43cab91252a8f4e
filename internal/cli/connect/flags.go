// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/clientcmd"
)

// EnvDataDir chooses the data directory where no flag does.
const EnvDataDir = "SLIPWAY_DATA_DIR"

// rootDataDir is the data directory of a cluster that root has started.
const rootDataDir = "/var/lib/slipway"

// Flags are what a user says about the cluster.
type Flags struct {
	Kubeconfig string
	Context    string
	Namespace  string
	DataDir    string
}

// Register adds the flags to a set.
func (f *Flags) Register(set *pflag.FlagSet) {
	set.StringVar(&f.Kubeconfig, "kubeconfig", "", "kubeconfig `file` of the cluster (default: the cluster in --data-dir, $KUBECONFIG, the cluster of \"slipway up\", ~/.kube/config)")
	set.StringVar(&f.Context, "context", "", "`name` of the kubeconfig's context to use")
	set.StringVarP(&f.Namespace, "namespace", "n", "", "`name` of the namespace (default: the context's)")
	set.StringVar(&f.DataDir, "data-dir", "", "`directory` of the cluster of \"slipway up\" (default: $SLIPWAY_DATA_DIR, then "+rootDataDir+" for root, else $XDG_DATA_HOME/slipway)")
}

// DataDirectory is the directory of the cluster on this machine, whether or not
// there is one.
func (f *Flags) DataDirectory() string {
	return dataDirectory(f.DataDir, os.Geteuid() == 0, os.Getenv)
}

func dataDirectory(flag string, root bool, getenv func(string) string) string {
	switch {
	case flag != "":
		return flag
	case getenv(EnvDataDir) != "":
		return getenv(EnvDataDir)
	case root:
		return rootDataDir
	case filepath.IsAbs(getenv("XDG_DATA_HOME")):
		return filepath.Join(getenv("XDG_DATA_HOME"), "slipway")
	}
	return filepath.Join(getenv("HOME"), ".local", "share", "slipway")
}

// loadingRules are clientcmd's with the cluster of this machine put in where
// neither flag nor variable names another.
func (f *Flags) loadingRules() (*clientcmd.ClientConfigLoadingRules, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.Warner = func(error) {}
	rules.ExplicitPath = f.Kubeconfig
	// A directory that is named now counts for more than a variable set before.
	if f.Kubeconfig != "" || f.DataDir == "" && os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "" {
		return rules, nil
	}
	own := filepath.Join(f.DataDirectory(), "kubeconfig")
	switch _, err := os.Stat(own); {
	case err == nil:
		rules.ExplicitPath = own
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("reading %s: %w; run as the user that started the cluster, or name a kubeconfig with --kubeconfig", own, err)
	}
	return rules, nil
}

func (f *Flags) clientConfig() (clientcmd.ClientConfig, error) {
	rules, err := f.loadingRules()
	if err != nil {
		return nil, err
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: f.Context}
	overrides.Context.Namespace = f.Namespace
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides), nil
}

// KnownNamespace is the namespace that flag or kubeconfig name, empty where
// neither does. It needs no cluster.
func (f *Flags) KnownNamespace() string {
	if f.Namespace != "" {
		return f.Namespace
	}
	config, err := f.clientConfig()
	if err != nil {
		return ""
	}
	raw, err := config.RawConfig()
	if err != nil {
		return ""
	}
	current := raw.CurrentContext
	if f.Context != "" {
		current = f.Context
	}
	if context := raw.Contexts[current]; context != nil {
		return context.Namespace
	}
	return ""
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

// PlatformOptions are what whoever starts the platform says.
type PlatformOptions struct {
	// Kubeconfig of the platform's own, least-privileged users.
	Kubeconfig string
	// Listen is the front door's host:port, URL how people reach it.
	Listen, URL string
	// HealthListen is the host:port of health checks and metrics.
	HealthListen string
	// Identity in the election of a leader.
	Identity string
}

// platform is run by "slipway up" and by the Deployment that installs Slipway on
// a cluster, not by people.
func (a *app) platform() *cobra.Command {
	var o PlatformOptions
	cmd := &cobra.Command{
		Use:    "platform",
		Short:  "Run the controllers, the scheduler and the front door",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.Platform == nil {
				return errors.New("this program was built without the platform; use the slipway of a release")
			}
			o.Kubeconfig = a.cluster.Kubeconfig
			return a.Platform(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "`address` of the front door")
	cmd.Flags().StringVar(&o.URL, "url", "", "`URL` at which people reach the front door (default: from --listen)")
	cmd.Flags().StringVar(&o.HealthListen, "health-listen", "127.0.0.1:8081", "`address` of health checks and metrics")
	cmd.Flags().StringVar(&o.Identity, "identity", "", "`name` in the election of a leader (default: the host's)")
	return cmd
}

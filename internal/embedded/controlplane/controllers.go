// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"

	"k8s.io/client-go/rest"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/component-base/featuregate"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// ControllerManagerFlags are the options of the controller manager. There is
// one server, so nobody is elected, and the node agent gives pods addresses.
func ControllerManagerFlags(c *cluster.Cluster) []string {
	return append(servingFlags(c, "controller-manager", cluster.PortControllerManager, "component-serving"),
		"--client-ca-file="+c.PKI("ca.crt"),
		"--cluster-signing-cert-file="+c.PKI("ca.crt"),
		"--cluster-signing-key-file="+c.PKI("ca.key"),
		"--root-ca-file="+c.PKI("ca.crt"),
		"--service-account-private-key-file="+c.PKI("service-account.key"),
		"--use-service-account-credentials=true",
		"--leader-elect=false",
		// Each controller makes its own service account and token first; at the
		// default rate that alone takes seconds.
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--allocate-node-cidrs=false",
		"--controllers=*,-bootstrap-signer-controller,-token-cleaner-controller",
		// A node that died is noticed in 20 s instead of 50, and its pods are
		// replaced as soon as its taint is there (tolerationSeconds permitting).
		"--node-monitor-grace-period=20s",
		"--node-monitor-period=2s",
		"--profiling=false",
	)
}

// TestControllerManagerFlags are the options of some controllers, in upstream's words, against the
// API server of an administrator's kubeconfig: they serve nothing, and write as fast as they can.
// More of upstream's options come last.
func TestControllerManagerFlags(kubeconfig, controllers string, more []string) []string {
	flags := []string{
		"--kubeconfig=" + kubeconfig,
		"--controllers=" + controllers,
		"--secure-port=0",
		"--leader-elect=false",
		"--kube-api-qps=100000",
		"--kube-api-burst=100000",
	}
	return append(flags, more...)
}

// RunControllerManager runs the controller manager until ctx ends.
func RunControllerManager(ctx context.Context, flags []string) error {
	s, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return fmt.Errorf("making options of the controller manager: %w", err)
	}
	known, disabled, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	if err := parse("kube-controller-manager", s.Flags(known, disabled, aliases), flags); err != nil {
		return err
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	if err := s.ComponentGlobalsRegistry.Set(); err != nil {
		return fmt.Errorf("setting feature gates: %w", err)
	}
	config, err := s.Config(ctx, known, disabled, aliases)
	if err != nil {
		return fmt.Errorf("configuring the controller manager: %w", err)
	}
	if gate, ok := s.ComponentGlobalsRegistry.FeatureGateFor(basecompatibility.DefaultKubeComponent).(featuregate.MutableFeatureGate); ok {
		gate.AddMetrics()
	}
	return app.Run(ctx, config.Complete())
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Slipway is the command line and the platform: controllers, scheduler and front
// door. It links client libraries only; the embedded Kubernetes is a program of
// its own, slipway-kube, which a release of slipway holds inside.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"slipway.dev/slipway/internal/cli"
	"slipway.dev/slipway/internal/platform"
)

func main() { os.Exit(run()) }

// run lets the first Ctrl-C end the context and the second the process.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return cli.Main(ctx, cli.Program{
		Args:  os.Args,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Platform: func(ctx context.Context, o cli.PlatformOptions) error {
			return platform.Run(ctx, platform.Options{
				Kubeconfig: o.Kubeconfig, Listen: o.Listen, URL: o.URL, HealthListen: o.HealthListen, Identity: o.Identity,
			})
		},
	})
}

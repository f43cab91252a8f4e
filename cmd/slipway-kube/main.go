// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command slipway-kube is the embedded Kubernetes: it starts, supervises and
// removes a cluster on this machine, and is every process of it. People call it
// through slipway.
package main

import (
	"os"

	"slipway.dev/slipway/internal/embedded/command"
)

func main() { os.Exit(command.Main(os.Args)) }

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command cni-netns is the first network plugin of a pod: it switches off
// duplicate address detection in the pod's network namespace.
//
// A pod's address is given out once, by host-local, on a link with two ends;
// detection could find nothing and would hold back every pod with an IPv6
// address for two seconds. Links take the setting over when they are made, so
// it must be there before ptp makes the pod's.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/version"
	"github.com/containernetworking/plugins/pkg/ns"
)

// acceptDAD applies to links made after it is set (ip-sysctl, accept_dad).
const acceptDAD = "/proc/sys/net/ipv6/conf/default/accept_dad"

func main() {
	nothing := func(*skel.CmdArgs) error { return nil }
	skel.PluginMainFuncs(skel.CNIFuncs{Add: add, Del: nothing, Check: nothing}, version.All, "slipway's network namespace defaults")
}

func add(args *skel.CmdArgs) error {
	err := ns.WithNetNSPath(args.Netns, func(ns.NetNS) error {
		return os.WriteFile(acceptDAD, []byte("0"), 0o644)
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("switching off duplicate address detection: %w", err)
	}
	return types.PrintResult(&current.Result{CNIVersion: current.ImplementedSpecVersion}, "1.0.0")
}

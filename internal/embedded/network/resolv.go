// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// resolverFiles are where hosts keep their resolvers. The second is the real
// list of a host whose first names only systemd-resolved's stub on loopback.
var resolverFiles = []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}

// ResolvConf is the resolver configuration that pods and the cluster's DNS
// forward to: the host's, without what cannot be reached from a pod.
func ResolvConf() []byte {
	for _, path := range resolverFiles {
		content, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if reachable := withoutLoopback(content); bytes.Contains(reachable, []byte("nameserver")) {
			return reachable
		}
	}
	return nil
}

func withoutLoopback(content []byte) []byte {
	var out bytes.Buffer
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 2 && fields[0] == "nameserver" {
			if ip, err := netip.ParseAddr(fields[1]); err != nil || ip.IsLoopback() {
				continue
			}
		}
		if len(fields) > 0 && !strings.HasPrefix(fields[0], "#") {
			fmt.Fprintln(&out, strings.Join(fields, " "))
		}
	}
	return out.Bytes()
}

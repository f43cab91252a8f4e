// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Host is what differs between machines and matters to the components.
type Host struct {
	// CgroupV2 is false on hosts whose controllers are on version 1, hybrid
	// ones included: the type of the file system at /sys/fs/cgroup decides.
	CgroupV2 bool
	// CanLowerOOMScore says whether CAP_SYS_RESOURCE is held. Without it no
	// process can be protected from the out-of-memory killer.
	CanLowerOOMScore bool
	// IPv6 says whether the kernel has IPv6 switched on.
	IPv6 bool
}

// capSysResource is the number of CAP_SYS_RESOURCE (linux/capability.h).
const capSysResource = 24

// ThisHost looks at the machine.
func ThisHost() Host {
	var fs unix.Statfs_t
	h := Host{CanLowerOOMScore: hasCapability(capSysResource)}
	if unix.Statfs("/sys/fs/cgroup", &fs) == nil {
		h.CgroupV2 = fs.Type == unix.CGROUP2_SUPER_MAGIC
	}
	h.IPv6 = enabled6("all") && enabled6("default")
	return h
}

// enabled6 says that links have IPv6: those there are ("all"), or those to come
// ("default").
func enabled6(links string) bool {
	disabled, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + links + "/disable_ipv6")
	return err == nil && strings.TrimSpace(string(disabled)) == "0"
}

func hasCapability(number uint) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[number/32].Effective&(1<<(number%32)) != 0
}

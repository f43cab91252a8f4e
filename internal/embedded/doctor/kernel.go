// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// controllers that a kubelet needs on a host with cgroup version 1.
var controllers = []string{"cpu", "cpuacct", "cpuset", "memory", "pids"}

func cgroups() Finding {
	f := Finding{Check: "cgroups"}
	if cluster.ThisHost().CgroupV2 {
		f.Detail = "version 2"
		return f
	}
	f.Detail = "version 1; Kubernetes supports it until a release not before 1.38"
	for _, c := range controllers {
		if _, err := os.Stat(filepath.Join("/sys/fs/cgroup", c)); err != nil {
			f.Detail = "version 1, and controller " + c + " is not mounted"
			f.Fix, f.Fatal = "boot with systemd.unified_cgroup_hierarchy=1, or mount the controller at /sys/fs/cgroup/"+c, true
			return f
		}
	}
	return f
}

// kernel is old when the service proxy refuses to use its nftables.
func kernel() Finding {
	f := Finding{Check: "kernel"}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		f.Detail = "unknown"
		return f
	}
	f.Detail = unix.ByteSliceToString(name.Release[:])
	var major, minor int
	if n, _ := fmt.Sscanf(f.Detail, "%d.%d", &major, &minor); n == 2 && (major < 5 || major == 5 && minor < 13) {
		f.Fix, f.Fatal = "use a kernel of version 5.13 or later; the service proxy needs its nftables", true
	}
	return f
}

func capability() Finding {
	f := Finding{Check: "CAP_SYS_RESOURCE", Detail: "held"}
	if !cluster.ThisHost().CanLowerOOMScore {
		f.Detail = "missing; containers start without protection from the out-of-memory killer"
	}
	return f
}

// overlay mounts an overlay where containers will have theirs.
func overlay(dataDir string) Finding {
	f := Finding{Check: "overlayfs", Detail: "mounted for a test"}
	if err := tryOverlay(existing(dataDir)); err != nil {
		f.Detail = "mounting one in " + existing(dataDir) + " failed: " + err.Error()
		f.Fix, f.Fatal = "choose a directory on ext4, xfs or btrfs with --data-dir, or load the module overlay", true
	}
	return f
}

func tryOverlay(dir string) (err error) {
	base, err := os.MkdirTemp(dir, ".slipway-doctor-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(base)) }()
	var options []string
	for _, part := range []string{"lower", "upper", "work", "merged"} {
		path := filepath.Join(base, part)
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
		options = append(options, part+"dir="+path)
	}
	merged := filepath.Join(base, "merged")
	if err := unix.Mount("overlay", merged, "overlay", 0, strings.Join(options[:3], ",")); err != nil {
		return err
	}
	return unix.Unmount(merged, 0)
}

// links makes and removes a veth pair.
func links() Finding {
	f := Finding{Check: "network links", Detail: "a veth pair was made for a test"}
	name := fmt.Sprintf("swd%d", os.Getpid()) // two may look at the same time
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "p"}
	_ = netlink.LinkDel(veth) // one that was interrupted may have left it
	err := netlink.LinkAdd(veth)
	if err == nil {
		err = netlink.LinkDel(veth)
	}
	if err != nil {
		f.Detail = "making a veth pair failed: " + err.Error()
		f.Fix, f.Fatal = "run with CAP_NET_ADMIN on a kernel with veth (modprobe veth)", true
	}
	return f
}

// forwardPolicy looks for a host firewall that drops forwarded packets, the
// commonest reason for pods without a network. Docker and ufw set it.
func forwardPolicy() Finding {
	f := Finding{Check: "firewall", Detail: "does not drop forwarded packets by default"}
	out, err := exec.Command("nft", "list", "chains").Output()
	if err != nil {
		f.Detail, f.Fix, f.Fatal = "nft cannot list chains: "+err.Error(), "run on a kernel with nf_tables (modprobe nf_tables)", true
		return f
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "hook forward") && strings.Contains(line, "policy drop") {
			f.Detail = "a chain at the forward hook drops by default, so pods will not reach other machines"
			f.Fix = "let the cluster's traffic pass, for example: iptables -I FORWARD -s 10.112.0.0/12 -j ACCEPT; iptables -I FORWARD -d 10.112.0.0/12 -j ACCEPT"
		}
	}
	return f
}

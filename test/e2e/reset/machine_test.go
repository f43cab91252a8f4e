// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package reset

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

// machine is what of a machine a cluster may change, in lines that a person can
// compare.
type machine struct {
	Rules, Links, Routes, Mounts, Cgroups, Processes, Files []string
	Parameters                                              map[string]string
}

func look(t *testing.T) machine {
	t.Helper()
	return machine{
		Rules: rules(t), Links: links(t), Routes: routes(t), Mounts: mounts(t), Cgroups: cgroups(t),
		Processes: processes(t), Files: files(t), Parameters: parameters(t),
	}
}

// rules of nftables, without counters.
func rules(t *testing.T) []string {
	out, err := exec.Command("nft", "--stateless", "list", "ruleset").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(out), "\n")
}

func links(t *testing.T) (lines []string) {
	all, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range all {
		line := link.Type() + " " + link.Attrs().Name + " " + link.Attrs().Flags.String()
		addresses, err := netlink.AddrList(link, netlink.FAMILY_ALL)
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range addresses {
			line += " " + address.IPNet.String()
		}
		lines = append(lines, line)
	}
	return lines
}

func routes(t *testing.T) (lines []string) {
	all, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: 0}, netlink.RT_FILTER_TABLE)
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range all {
		lines = append(lines, route.String())
	}
	slices.Sort(lines)
	return lines
}

// mounts by mount point and type: the fifth field and that after "-" (proc(5)).
func mounts(t *testing.T) (lines []string) {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		head, tail, _ := strings.Cut(line, " - ")
		lines = append(lines, strings.Fields(head)[4]+" "+strings.Fields(tail)[0])
	}
	slices.Sort(lines)
	return lines
}

func cgroups(t *testing.T) []string {
	return walk(t, "/sys/fs/cgroup", func(path string, entry fs.DirEntry) (string, bool) { return path, entry.IsDir() })
}

// processes of the program under test, and of what it starts.
func processes(t *testing.T) (lines []string) {
	root, err := filepath.Abs("../../../build/bin")
	if err != nil {
		t.Fatal(err)
	}
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if program, err := os.Readlink(link); err == nil && (strings.HasPrefix(program, root) || program == rigProgram) {
			lines = append(lines, program)
		}
	}
	slices.Sort(lines)
	return lines
}

// rigProgram is what pods of the test run, seen from within them.
const rigProgram = "/probe"

// files in the places where components of Kubernetes leave some.
func files(t *testing.T) (paths []string) {
	for _, pattern := range []string{
		"/etc/*", "/opt/*", "/run/*", "/var/lib/*", "/var/lib/cni/*", "/var/lib/kubelet/*", "/var/log/*", "/var/log/pods/*",
		"/var/run/netns/*", "/dev/shm/*", "/sys/fs/bpf/*", "/tmp/slipway*", "/var/cache/*",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	return paths
}

// parameters of the kernel, by path. What counts or is random is left out.
func parameters(t *testing.T) map[string]string {
	values := map[string]string{}
	for _, root := range []string{"/proc/sys/net", "/proc/sys/vm", "/proc/sys/kernel/keys", "/proc/sys/fs/inotify"} {
		for _, path := range walk(t, root, func(path string, entry fs.DirEntry) (string, bool) { return path, entry.Type().IsRegular() }) {
			if content, err := os.ReadFile(path); err == nil && !volatile[filepath.Base(path)] {
				values[path] = string(content)
			}
		}
	}
	for _, name := range []string{"panic", "panic_on_oops"} {
		content, err := os.ReadFile("/proc/sys/kernel/" + name)
		if err != nil {
			t.Fatal(err)
		}
		values["kernel/"+name] = string(content)
	}
	return values
}

var volatile = map[string]bool{"nf_conntrack_count": true, "tcp_fastopen_key": true, "stat_refresh": true}

// walk a tree of the kernel's, in which things come and go.
func walk(t *testing.T, root string, keep func(string, fs.DirEntry) (string, bool)) (found []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it went meanwhile
		}
		if line, kept := keep(path, entry); kept {
			found = append(found, line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"slipway.dev/slipway/internal/embedded/control"
	"slipway.dev/slipway/internal/embedded/supervise"
)

// Status implements control.Supervisor.
func (s *Supervisor) Status() control.Status {
	s.mu.Lock()
	status := control.Status{
		Ready: s.booted, Stopping: s.life.Err() != nil, PID: os.Getpid(), Started: s.started, Cluster: s.cluster.Clone(),
		Addresses: s.addresses(), Versions: Versions(), Phases: slices.Clone(s.phases),
	}
	processes := slices.Clone(s.processes)
	s.mu.Unlock()
	status.Nodes = s.Nodes()
	status.Processes = []control.Process{{
		State: supervise.State{Name: "supervisor", PID: os.Getpid(), Ready: true, Since: s.started},
		Bytes: proportionalSetSize(os.Getpid())}}
	for _, p := range processes {
		state := p.State()
		status.Ready = status.Ready && state.Ready
		status.Processes = append(status.Processes, control.Process{State: state, Bytes: proportionalSetSize(state.PID)})
	}
	for _, p := range status.Processes {
		status.TotalBytes += p.Bytes
	}
	for _, pid := range append(shims(s.cluster.RunDir), cgroupProcesses("/slipway-"+s.cluster.ID)...) {
		status.OtherBytes += proportionalSetSize(pid)
	}
	status.TotalBytes += status.OtherBytes
	return status
}

func (s *Supervisor) addresses() map[string]string {
	return map[string]string{
		"API server": s.cluster.APIServer(),
		"front door": "http://" + s.cluster.FrontDoor,
		"DNS":        s.cluster.DNSServiceIP().String(),
		"pods":       s.cluster.PodCIDR().String(),
		"services":   s.cluster.ServiceCIDR().String(),
	}
}

// Versions are the versions of what is linked into the running program.
func Versions() map[string]string {
	parts := map[string]string{
		"k8s.io/kubernetes": "Kubernetes", "go.etcd.io/etcd/server/v3": "etcd", "github.com/containerd/containerd/v2": "containerd",
		"github.com/coredns/coredns": "CoreDNS", "sigs.k8s.io/metrics-server": "metrics-server",
	}
	versions := map[string]string{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	versions["slipway"] = info.Main.Version
	for _, module := range info.Deps {
		if name, known := parts[module.Path]; known {
			versions[name] = module.Version
		}
	}
	return versions
}

// proportionalSetSize reads the memory of a process from the kernel, in bytes;
// zero when the process is gone.
func proportionalSetSize(pid int) int64 {
	if pid == 0 {
		return 0
	}
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if rest, found := strings.CutPrefix(line, "Pss:"); found {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

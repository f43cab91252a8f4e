// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/network"
	"slipway.dev/slipway/internal/embedded/supervise"
)

// collect is how hard each process collects garbage (GOGC) while it idles, and memory is
// scarcer than the processor. Those that may be busy adapt it (internal/heap).
const collect = "GOGC=50"

// server is the API server with its datastore.
func (s *Supervisor) server() *supervise.Process {
	return s.process(s.role("server", "server"))
}

// control is the controller manager, the scheduler, metrics and storage.
func (s *Supervisor) control() *supervise.Process {
	return s.process(s.role("control", "control"))
}

// platform is Slipway itself: controllers, scheduler and front door, with a
// kubeconfig of its own as on any other cluster.
func (s *Supervisor) platform() *supervise.Process {
	return s.process(supervise.Spec{
		Name: "platform",
		Path: s.programs.Platform(),
		Args: []string{"platform", "--kubeconfig", s.cluster.KubeconfigOf("platform"),
			"--listen", s.cluster.FrontDoor, "--url", "http://" + s.cluster.FrontDoor + "/v1",
			"--health-listen", fmt.Sprintf("%s:%d", s.cluster.NodeIP(s.cluster.First()), cluster.PortPlatform),
			// The host's name may change; of this platform there is never more than one.
			"--identity", s.cluster.First().Name},
		Env: []string{collect},
	})
}

// startContainerd starts a node's containerd.
func (s *Supervisor) startContainerd(n cluster.Node) func(context.Context) error {
	spec := s.role("containerd:"+n.Name, "containerd", "--node", n.Name)
	// The shim looks for runc when containerd asks what it can do.
	spec.Env = append(spec.Env, "PATH="+filepath.Dir(s.programs.Runc())+":"+os.Getenv("PATH"))
	return s.process(s.onNode(n, spec)).Start
}

// nodeAgent is a node's kubelet, service proxy and network policies.
func (s *Supervisor) nodeAgent(n cluster.Node) *supervise.Process {
	return s.process(s.onNode(n, s.role("node:"+n.Name, "node", "--node", n.Name)))
}

func (s *Supervisor) role(name, role string, args ...string) supervise.Spec {
	return supervise.Spec{
		Name: name,
		Path: s.programs.Self(),
		Args: append([]string{"role", role, "--data-dir", s.cluster.DataDir}, args...),
		Env:  []string{collect},
	}
}

// onNode starts a process in the node's network namespace.
func (s *Supervisor) onNode(n cluster.Node, spec supervise.Spec) supervise.Spec {
	if n.Index > 0 {
		spec.Start = supervise.InNetns(network.NetnsPath(s.cluster, n))
	}
	return spec
}

// process enters a process in the list; the last entered is stopped first.
func (s *Supervisor) process(spec supervise.Spec) *supervise.Process {
	spec.Log = s.cluster.Log(spec.Name)
	spec.Lock = s.cluster.RunDir + "/" + spec.Name + ".lock"
	p := supervise.NewProcess(spec)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes = append(s.processes, p)
	return p
}

// removeUnmade takes away what a refused first start made: its lock, and the
// directories if nothing else is in them.
func removeUnmade(c *cluster.Cluster) {
	if _, err := os.Stat(cluster.File(c.DataDir)); err == nil {
		return
	}
	for _, name := range append(c.Files(), "") {
		_ = os.Remove(filepath.Join(c.DataDir, name))
	}
	_ = os.Remove(c.RunDir)
}

func makeDirs(c *cluster.Cluster) error {
	for dir, mode := range map[string]os.FileMode{
		c.DataDir: 0o711, c.RunDir: 0o711, c.PKI(""): 0o700, c.Etcd(): 0o700,
		c.Volumes(): 0o700, c.DataDir + "/log": 0o700, c.DataDir + "/nodes": 0o711,
	} {
		if err := errors.Join(os.MkdirAll(dir, mode), os.Chmod(dir, mode)); err != nil {
			return err
		}
	}
	return nil
}

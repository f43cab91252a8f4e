// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package nodes

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

// frozen holds that a kubelet that runs and does nothing is seen, by those who look at
// the cluster's processes, too.
func frozen(t *testing.T, c *rig.Cluster) {
	const name = "extra"
	pid := kubelet(t, c, name)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	c.AwaitNodes(t, name+" is not Ready", func(nodes []*corev1.Node) error {
		for _, n := range nodes {
			if n.Name == name && rig.NodeReady(n) == nil {
				return errors.New("it is Ready")
			}
		}
		return nil
	})
	for _, args := range [][]string{{"status"}, {"node", "ls"}} {
		if line := lineOf(t, c, name, args...); !strings.Contains(line, "running") || !strings.Contains(line, "Unknown: Kubelet stopped posting") {
			t.Errorf("of a frozen kubelet, %v says %q", args, line)
		}
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.AwaitNodes(t, "all nodes are Ready", rig.NodesReady)
	if line := lineOf(t, c, name, "node", "ls"); !strings.HasSuffix(line, "True") {
		t.Errorf("of a kubelet that goes on, it says %q", line)
	}
}

func kubelet(t *testing.T, c *rig.Cluster, node string) int {
	t.Helper()
	status, err := c.Status(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range status.Processes {
		if p.Name == "node:"+node {
			return p.PID
		}
	}
	t.Fatalf("there is no process of node %s: %+v", node, status.Processes)
	return 0
}

// lineOf is the line of a node in what a command prints.
func lineOf(t *testing.T, c *rig.Cluster, node string, args ...string) string {
	t.Helper()
	for line := range strings.Lines(c.OK(t, args...)) {
		if strings.HasPrefix(line, node+" ") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// roleVariable makes the test binary play another part than that of the tests:
// the node, or a pod. All of it happens in network namespaces that die with
// these processes; the host's ruleset and links are not touched.
const roleVariable = "SLIPWAY_POLICY_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "pod" {
		runPod(os.Stdin, os.Stdout)
		return
	}
	os.Exit(m.Run())
}

// TestKernel sends real packets through real nftables.
func TestKernel(t *testing.T) {
	if os.Getenv(roleVariable) != "node" {
		runInNamespace(t)
		return
	}
	n := newTestNode(t)
	t.Run("Cases", n.testCases)
	t.Run("Service", n.testService)
	t.Run("Established", n.testEstablished)
	t.Run("Node", n.testNode)
	t.Run("Model", n.testModel)
	t.Run("Live", n.testLive)
	t.Run("Scale", n.testScale)
}

// runInNamespace runs this test once more, as the node.
func runInNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make network namespaces; run as root")
	}
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skipf("needs the nft program; install the package nftables: %v", err)
	}
	cmd := command(t, "node", "-test.run=^TestKernel$", "-test.v", "-test.count=1")
	out, err := cmd.CombinedOutput()
	t.Logf("in the node's namespace:\n%s", out)
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("needs CAP_SYS_ADMIN to make network namespaces; run as root outside of a container: %v", err)
	}
	if err != nil {
		t.Fatalf("the node failed: %v", err)
	}
}

// command is this program in another role and in a network namespace of its own.
func command(t *testing.T, role string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	return cmd
}

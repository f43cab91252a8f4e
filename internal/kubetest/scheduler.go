// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"k8s.io/client-go/rest"
)

// Scheduler runs Kubernetes' own scheduler, as it comes, until the test ends. What it says is
// shown where the test fails.
func Scheduler(t testing.TB, config *rest.Config) {
	t.Helper()
	program, err := find()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program, "role", "test-scheduler", "--kubeconfig", Kubeconfig(t, config, ""))
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting Kubernetes' scheduler: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it was told to end
		if t.Failed() {
			t.Logf("Kubernetes' scheduler:\n%s", said.String())
		}
	})
}

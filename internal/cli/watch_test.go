// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWatchShowsHeldPods: pods that claim devices name another scheduler and are ours all the same.
func TestWatchShowsHeldPods(t *testing.T) {
	fake := startFake()
	defer fake.Close()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: a, clusters: [{name: a, cluster: {server: %q}}],
		contexts: [{name: a, context: {cluster: a, namespace: team}}]}`, fake.URL)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	const pod = `{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: team, labels: {slipway.dev/held: "%s"}},
		spec: {schedulerName: %s, schedulingGates: [{name: slipway.dev/held}]}, status: {phase: Pending}}`
	fake.put("pods", parsed(t, fmt.Sprintf(pod, "held", "true", "default-scheduler")))
	fake.put("pods", parsed(t, fmt.Sprintf(pod, "ours", "", "slipway")))
	fake.put("pods", parsed(t, fmt.Sprintf(pod, "theirs", "", "default-scheduler")))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	shown, out := io.Pipe()
	go func() {
		Main(ctx, Program{Args: []string{"slipway", "--kubeconfig", file, "ps", "-w"}, Stdin: os.Stdin, Stdout: out, Stderr: io.Discard})
		_ = out.Close()
	}()
	lines := bufio.NewScanner(shown)
	next := func(want string) {
		t.Helper()
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), want) {
			t.Fatalf("it shows %q, want %s", lines.Text(), want)
		}
	}
	next("NAME")
	next("held")
	next("ours")
	fake.put("pods", parsed(t, fmt.Sprintf(pod, "later", "true", "default-scheduler")))
	next("later")
}

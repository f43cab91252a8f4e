// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func parsed(t *testing.T, text string) object {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestFollowAcrossARestartOfTheAPIServer: the connections break, then everybody
// is refused, then the job is found to have ended.
func TestFollowAcrossARestartOfTheAPIServer(t *testing.T) {
	fake := startFake()
	defer fake.Close()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: a, clusters: [{name: a, cluster: {server: %q}}],
		contexts: [{name: a, context: {cluster: a, namespace: team}}]}`, fake.URL)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	const job = `{apiVersion: kubeflow.org/v1, kind: PyTorchJob, metadata: {name: tiny, namespace: team},
		spec: {pytorchReplicaSpecs: {Master: {}}}, status: {conditions: [{type: %s, status: "True"}]}}`
	const pod = `{apiVersion: v1, kind: Pod, metadata: {name: tiny-master-0, namespace: team, labels: {
		training.kubeflow.org/job-name: tiny, training.kubeflow.org/replica-type: master, training.kubeflow.org/replica-index: "0"}},
		spec: {containers: [{name: pytorch}]}, status: {containerStatuses: [{name: pytorch, state: {%s: {}}}]}}`
	fake.put("pytorchjobs", parsed(t, fmt.Sprintf(job, "Created")))
	fake.put("pods", parsed(t, fmt.Sprintf(pod, "running")))
	fake.logs["tiny-master-0"] = "one\ntwo\n"

	var log bytes.Buffer
	told, problems := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- Main(t.Context(), Program{
			Args: []string{"slipway", "--kubeconfig", file, "logs", "-f", "tiny"}, Stdin: os.Stdin, Stdout: &log, Stderr: problems,
		})
		_ = problems.Close()
	}()
	lines := bufio.NewScanner(told)
	await := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("it never says %q", want)
	}
	await("tiny waiting")
	fake.starting.Store(true)
	fake.CloseClientConnections()
	await("the roles are not read yet")
	fake.put("pytorchjobs", parsed(t, fmt.Sprintf(job, "Succeeded")))
	fake.put("pods", parsed(t, fmt.Sprintf(pod, "terminated")))
	fake.starting.Store(false)
	await("tiny succeeded")
	go func() { _, _ = io.Copy(io.Discard, told) }()
	if code := <-ended; code != 0 || log.String() != "one\ntwo\n" {
		t.Errorf("exit code %d, printed %q", code, &log)
	}
}

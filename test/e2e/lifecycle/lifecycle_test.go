// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lifecycle holds the promise of "make demo": a model is trained on a
// real cluster by real PyTorch, survives the loss of a worker, and answers at an
// endpoint.
package lifecycle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// limit ends a test whose cluster hangs; nothing is asserted about time.
const limit = 15 * time.Minute

// machine is a cluster of the test's own.
type machine struct {
	*testing.T
	root, data string
}

// up starts a cluster, and removes it when the test ends.
func up(t *testing.T) machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a cluster on this machine needs root")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	m := machine{t, root, filepath.Join(t.TempDir(), "cluster")}
	t.Cleanup(func() { m.try("slipway", "reset", "--yes") })
	m.run("slipway", "up", "--detach", "--listen", "127.0.0.1:18484")
	return m
}

// run runs a program of the product or of the host and returns its output.
func (m machine) run(args ...string) string {
	m.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (m machine) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if args[0] == "slipway" {
		args[0] = filepath.Join(m.root, "build", "bin", "slipway")
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = m.root
	cmd.Env = append(os.Environ(), "SLIPWAY_DATA_DIR="+m.data, "KUBECONFIG="+filepath.Join(m.data, "kubeconfig"))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String() + errs.String(), err
	}
	return out.String(), nil
}

func (m machine) kubectl(args ...string) string {
	m.Helper()
	return m.run(append([]string{"slipway", "kubectl"}, args...)...)
}

const steps = 60

// train applies the example's manifest with fewer steps.
func (m machine) train() {
	m.Helper()
	manifest, err := os.ReadFile(filepath.Join(m.root, "examples/tinylm/train.yaml"))
	if err != nil {
		m.Fatal(err)
	}
	short := strings.Replace(string(manifest), "tinylm.train, --out, /out]",
		fmt.Sprintf(`tinylm.train, --out, /out, --steps, "%d", --checkpoint-every, "10", --log-every, "5"]`, steps), 1)
	if short == string(manifest) {
		m.Fatal("examples/tinylm/train.yaml has another command than this test knows")
	}
	file := filepath.Join(m.TempDir(), "train.yaml")
	if err := os.WriteFile(file, []byte(short), 0o600); err != nil {
		m.Fatal(err)
	}
	m.run("slipway", "train", "-F", file)
}

// awaitLog returns once the log of rank 0 holds a line.
func (m machine) awaitLog(line string) {
	m.Helper()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(limit)
	for {
		if out, _ := m.try("slipway", "kubectl", "logs", "tinylm-master-0"); strings.Contains(out, line) {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			m.Fatalf("the log of rank 0 never held %q; it ends:\n%s", line, m.kubectl("logs", "--tail=20", "tinylm-master-0"))
		}
	}
}

var finished = regexp.MustCompile(fmt.Sprintf(`step %d/%d val ([0-9.]+), before training ([0-9.]+)`, steps, steps))

func TestLifecycle(t *testing.T) {
	m := up(t)
	m.run("examples/tinylm/build-image.sh")
	m.run("slipway", "image", "import", "build/images/tinylm.tar")

	m.train()
	m.awaitLog("step 20/")
	m.kubectl("delete", "pod", "tinylm-worker-0", "--grace-period=0", "--force")
	m.kubectl("wait", "--for=condition=Succeeded", "pytorchjob/tinylm", "--timeout=10m")
	log := m.run("slipway", "logs", "pytorchjob/tinylm")
	if !finished.MatchString(log) {
		t.Fatalf("the run did not end after %d steps with a loss on held-out text; its log:\n%s", steps, log)
	}
	if !strings.Contains(log, "resum") {
		t.Errorf("the run does not say that it went on from a checkpoint; its log:\n%s", log)
	}

	m.run("slipway", "deploy", "-F", "examples/tinylm/model.yaml", "--wait")
	m.run("slipway", "deploy", "-F", "examples/tinylm/untrained.yaml", "--wait")
	trained, untrained := m.ask("tinylm"), m.ask("tinylm-untrained")
	if trained == "" || trained == untrained {
		t.Errorf("the trained model says %q, the untrained one %q; they must differ", trained, untrained)
	}
	m.refuses()
}

// ask completes a prompt over HTTP, as any client would.
func (m machine) ask(model string) string {
	m.Helper()
	body := fmt.Sprintf(`{"model": %q, "prompt": "And God said", "max_tokens": 40, "seed": 1}`, model)
	status, answer := m.post(strings.TrimSpace(m.run("slipway", "key")), body)
	if status != http.StatusOK {
		m.Fatalf("asking %s: status %d: %s", model, status, answer)
	}
	var completion struct {
		Choices []struct{ Text string }
	}
	if err := json.Unmarshal(answer, &completion); err != nil || len(completion.Choices) != 1 {
		m.Fatalf("asking %s: %v in %s", model, err, answer)
	}
	return completion.Choices[0].Text
}

// refuses holds that nobody is answered without a key, and that a cluster's own
// credentials are no key.
func (m machine) refuses() {
	m.Helper()
	foreign := strings.TrimSpace(m.kubectl("create", "token", "default"))
	for name, key := range map[string]string{"no key": "", "a token for the API server": foreign} {
		if status, answer := m.post(key, `{"model": "tinylm", "prompt": "x"}`); status != http.StatusUnauthorized {
			m.Errorf("with %s: status %d, want 401: %s", name, status, answer)
		}
	}
}

func (m machine) post(key, body string) (int, []byte) {
	m.Helper()
	request, err := http.NewRequestWithContext(m.Context(), http.MethodPost, "http://127.0.0.1:18484/v1/completions", strings.NewReader(body))
	if err != nil {
		m.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		m.Fatal(err)
	}
	return response.StatusCode, answer
}

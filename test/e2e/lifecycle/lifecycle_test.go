// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lifecycle holds the promise of "make demo": a model is trained on a
// real cluster by real PyTorch, survives the loss of a worker, and answers at an
// endpoint.
package lifecycle

import (
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

	"slipway.dev/slipway/test/e2e/rig"
)

// machine is the cluster of the test.
type machine struct {
	*testing.T
	*rig.Cluster
}

func (m machine) slipway(args ...string) string {
	m.Helper()
	return m.OK(m.T, args...)
}

func (m machine) kubectl(args ...string) string {
	m.Helper()
	return m.slipway(append([]string{"kubectl"}, args...)...)
}

const steps = 60

// train applies the example's manifest with fewer steps.
func (m machine) train() {
	m.Helper()
	manifest, err := os.ReadFile(m.File("examples/tinylm/train.yaml"))
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
	m.slipway("train", "-F", file)
}

// awaitLog returns once the log of rank 0 holds a line.
func (m machine) awaitLog(line string) {
	m.Helper()
	rig.Eventually(m.T, "the log of rank 0 holds "+line, func(context.Context) error {
		if o := m.Cluster.Run(m.T, "kubectl", "logs", "tinylm-master-0"); !strings.Contains(o.Stdout, line) {
			return fmt.Errorf("it ends: %s%s", o.Stdout[max(0, len(o.Stdout)-500):], o.Stderr)
		}
		return nil
	})
}

var finished = regexp.MustCompile(fmt.Sprintf(`step %d/%d val ([0-9.]+), before training ([0-9.]+)`, steps, steps))

func TestLifecycle(t *testing.T) {
	m := machine{t, rig.New(t)}
	m.Up(t)
	build := exec.Command(m.File("examples/tinylm/build-image.sh"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the image: %v\n%s", err, out)
	}
	m.slipway("image", "import", m.File("build/images/tinylm.tar"))

	m.train()
	m.awaitLog("step 20/")
	m.kubectl("delete", "pod", "tinylm-worker-0", "--grace-period=0", "--force")
	m.kubectl("wait", "--for=condition=Succeeded", "pytorchjob/tinylm", "--timeout=150s")
	log := m.slipway("logs", "pytorchjob/tinylm")
	if !finished.MatchString(log) {
		t.Fatalf("the run did not end after %d steps with a loss on held-out text; its log:\n%s", steps, log)
	}
	if !strings.Contains(log, "resum") {
		t.Errorf("the run does not say that it went on from a checkpoint; its log:\n%s", log)
	}

	m.slipway("deploy", "-F", m.File("examples/tinylm/model.yaml"), "--wait")
	m.slipway("deploy", "-F", m.File("examples/tinylm/untrained.yaml"), "--wait")
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
	status, answer := m.post(strings.TrimSpace(m.slipway("key")), body)
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
	request, err := http.NewRequestWithContext(m.Context(), http.MethodPost, "http://"+m.FrontDoor+"/v1/completions", strings.NewReader(body))
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

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares objects, as YAML, with a file in testdata.
func golden(t *testing.T, name string, objects ...any) {
	t.Helper()
	var documents []string
	for _, object := range objects {
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, string(text))
	}
	got, file := strings.Join(documents, "---\n"), filepath.Join("testdata", name+".yaml")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; \"go test -update\" rewrites it):\n%s", file, diff)
	}
}

func TestPyTorchJob(t *testing.T) {
	for name, train := range map[string]Train{
		"train-one": {Name: "tiny", Image: "tinylm", Workers: 1, Command: []string{"python", "train.py"}},
		"train-all": {
			Name: "tiny", Namespace: "team", Image: "tinylm", Workers: 4, ProcessesPerPod: "gpu",
			Resources: Resources{CPU: "500m", Memory: "2Gi", GPUs: 8},
			Env:       []string{"SEED=1", "NAME=a=b", "EMPTY="},
			Volumes:   []string{"data:/data", "data:/again", "out:/out"}, RestartPolicy: "ExitCode",
			MaxRunTime: new(90*time.Minute + time.Millisecond), Project: "research",
			Command: []string{"torchrun", "train.py"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			job, err := train.PyTorchJob()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, job)
		})
	}
}

func TestPyTorchJobRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*Train)
		want   string
	}{
		{func(o *Train) { o.Name = "Tiny" }, `the name "Tiny" cannot be part of a host name`},
		{func(o *Train) { o.Name = strings.Repeat("a", 55) }, "is longer than 54 characters; shorten it"},
		{func(o *Train) { o.Image = "" }, "--image is missing; name the image"},
		{func(o *Train) { o.Workers = 0 }, "--workers is 0; use 1 or more"},
		{func(o *Train) { o.Workers = 100_001 }, "--workers is 100001, and a gang has at most 100000 pods of a kind; use fewer"},
		{func(o *Train) { o.MaxRunTime = new(-time.Second) }, "--max-run-time is -1s; use more than zero"},
		{func(o *Train) { o.MaxRunTime = new(time.Duration) }, "--max-run-time is 0s; use more than zero, such as 90m or 36h, or leave it out for no limit"},
		{func(o *Train) { o.MaxRunTime = new(100_000 * time.Hour) }, "--max-run-time is 100000h0m0s, which is more than ten years"},
		{func(o *Train) { o.Project = "a/b" }, `--project is "a/b", which no project can be named`},
		{func(o *Train) { o.Project = strings.Repeat("a", 64) }, "which no project can be named"},
		{func(o *Train) { o.Resources.Memory = "512m" }, "--memory is 512m, which is less than a byte; write 512Mi"},
		{func(o *Train) { o.RestartPolicy = "Sometimes" }, `--restart-policy is "Sometimes"; use one of Never, OnFailure`},
		{func(o *Train) { o.ProcessesPerPod = "0" }, `--nproc-per-node is "0"; use auto`},
		{func(o *Train) { o.ProcessesPerPod = "many" }, `--nproc-per-node is "many"; use auto`},
		{func(o *Train) { o.Resources.CPU = "lots" }, `--cpu is "lots", which is no quantity`},
		{func(o *Train) { o.Resources.Memory = "0" }, "--memory is 0; use more than zero"},
		{func(o *Train) { o.Resources.GPUs = -1 }, "--gpus is -1; use zero or more"},
		{func(o *Train) { o.Env = []string{"A"} }, `--env "A" is no assignment; write NAME=VALUE`},
		{func(o *Train) { o.Env = []string{"=A"} }, `--env "=A" is no assignment`},
		{func(o *Train) { o.Volumes = []string{"data"} }, `--volume "data" is no mount; write CLAIM:/path`},
		{func(o *Train) { o.Volumes = []string{"data:there"} }, `--volume "data:there" is no mount`},
		{func(o *Train) { o.Volumes = []string{"a b:/c"} }, `--volume "a b:/c" is no mount`},
	} {
		train := Train{Name: "tiny", Image: "a", Workers: 1}
		c.change(&train)
		_, err := train.PyTorchJob()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "; ") {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestClaims(t *testing.T) {
	train := Train{Namespace: "team", Volumes: []string{"data:/data", "data:/again", "out:/out"}}
	claims, err := train.Claims("10Gi")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "claims", claims[0], claims[1])
	if len(claims) != 2 {
		t.Errorf("%d claims for two names", len(claims))
	}
	if claims, err := train.Claims(""); err != nil || claims != nil {
		t.Errorf("no size: %v, %v", claims, err)
	}
	if _, err := (Train{}).Claims("1Gi"); err == nil || !strings.Contains(err.Error(), "without --volume") {
		t.Errorf("no volume: %v", err)
	}
	if _, err := train.Claims("-1"); err == nil || !strings.Contains(err.Error(), "--volume-size is -1") {
		t.Errorf("below zero: %v", err)
	}
}

func TestModel(t *testing.T) {
	for name, deploy := range map[string]Deploy{
		"deploy-one": {Name: "tiny", Image: "tinylm"},
		"deploy-all": {
			Name: "tiny", Namespace: "team", Image: "tinylm", Claim: "data:/checkpoints//last/",
			Port: 9000, ReadyPath: "/ready", Replicas: ptr.To(int32(0)),
			Resources: Resources{CPU: "1", Memory: "1Gi"}, Env: []string{"A=B"},
			Command: []string{"python", "serve.py"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			model, err := deploy.Model()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, model)
		})
	}
}

func TestModelRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*Deploy)
		want   string
	}{
		{func(o *Deploy) { o.Name = "7b" }, `the name "7b" cannot be part of a host name`},
		{func(o *Deploy) { o.Name = strings.Repeat("a", 41) }, "is longer than 40 characters"},
		{func(o *Deploy) { o.Image = "" }, "--image is missing"},
		{func(o *Deploy) { o.Port = 70000 }, "--port is 70000; use 1 to 65535"},
		{func(o *Deploy) { o.ReadyPath = "health" }, `--ready-path is "health"; begin it with a slash`},
		{func(o *Deploy) { o.Replicas = ptr.To(int32(-1)) }, "--replicas is -1; use zero or more"},
		{func(o *Deploy) { o.Claim = "data:../x" }, `--claim "data:../x" is no place of weights`},
		{func(o *Deploy) { o.Claim = ":x" }, `--claim ":x" is no place of weights`},
		{func(o *Deploy) { o.Env = []string{"1 = 2"} }, `--env "1 = 2" is no assignment`},
		{func(o *Deploy) { o.Resources.CPU = "x" }, `--cpu is "x", which is no quantity`},
	} {
		deploy := Deploy{Name: "tiny", Image: "a"}
		c.change(&deploy)
		_, err := deploy.Model()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "; ") {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

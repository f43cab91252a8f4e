// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"slipway.dev/slipway/internal/release"
)

var update = flag.Bool("update", false, "rewrite what transcripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"slipway": runSlipway})
}

// runSlipway is what cmd/slipway does, with a platform that says what it was
// given.
func runSlipway() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(Main(ctx, Program{
		Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Cache: os.Getenv("TEST_CACHE"),
		Platform: func(_ context.Context, o PlatformOptions) error {
			fmt.Printf("%+v\n", o)
			return nil
		},
	}))
}

// TestScripts runs the transcripts in testdata. Besides testscript's commands
// there are
//
//	cluster FILE...    starts a fake cluster with these objects and points ~/.kube/config at it
//	log POD FILE       is what a pod has said
//	trains             lets jobs that are made wait, run, and succeed
//	requests           prints, and forgets, the requests that changed something
//	release DIR FILE   packs DIR into a release of slipway
//	exits CODE CMD...  runs a command that must exit with this code
//	damage FILE        changes a byte of what is packed inside
//	deny RESOURCE...   lets nobody list these in all namespaces
//	inject FILE...     puts more objects into the cluster
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Values[holder{}] = &holder{}
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("SLIPWAY_DATA_DIR", filepath.Join(env.WorkDir, "data"))
			env.Setenv("TEST_CACHE", filepath.Join(env.WorkDir, "cache", "slipway"))
			env.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cluster": cmdCluster, "inject": cmdInject, "log": cmdLog, "trains": cmdTrains,
			"exits": cmdExits, "deny": cmdDeny, "requests": cmdRequests, "release": cmdRelease, "damage": cmdDamage,
		},
	})
}

// holder is where a script keeps its cluster.
type holder struct{ fake *fakeCluster }

func fakeOf(ts *testscript.TestScript) *fakeCluster { return ts.Value(holder{}).(*holder).fake }

func cmdCluster(ts *testscript.TestScript, _ bool, args []string) {
	fake := startFake()
	ts.Defer(fake.Close)
	ts.Value(holder{}).(*holder).fake = fake
	config := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "fake",
		"clusters": [{"name": "fake", "cluster": {"server": %q}}],
		"contexts": [{"name": "fake", "context": {"cluster": "fake", "namespace": "team"}}]}`, fake.URL)
	dir := ts.MkAbs(".kube")
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	ts.Setenv("URL", fake.URL)
	cmdInject(ts, false, args)
}

func cmdInject(ts *testscript.TestScript, _ bool, args []string) {
	fake := fakeOf(ts)
	for _, file := range args {
		text := strings.ReplaceAll(ts.ReadFile(file), "$URL", fake.URL)
		for _, document := range strings.Split(text, "\n---\n") {
			o := &unstructured.Unstructured{}
			ts.Check(yaml.Unmarshal([]byte(document), &o.Object))
			if !slices.Contains(clusterWide, resourceOf(o)) && o.GetNamespace() == "" {
				o.SetNamespace("team")
			}
			fake.put(resourceOf(o), o)
		}
	}
}

func cmdDeny(ts *testscript.TestScript, _ bool, args []string) { fakeOf(ts).denied = args }

func cmdLog(ts *testscript.TestScript, _ bool, args []string) {
	fakeOf(ts).logs[args[0]] = ts.ReadFile(args[1])
}

// cmdTrains plays the platform: the job is seen, waits, is placed, runs, ends.
func cmdTrains(ts *testscript.TestScript, _ bool, _ []string) {
	fake := fakeOf(ts)
	fake.react = func(job object) {
		if job.GetKind() != "PyTorchJob" {
			return
		}
		is := func(kind string) map[string]any { return map[string]any{"type": kind, "status": "True"} }
		if job.GetName() == "wrong" {
			refused := map[string]any{"type": "Failed", "status": "True", "message": "no container is named pytorch; correct it and create the job again"}
			ts.Check(unstructured.SetNestedSlice(job.Object, []any{refused}, "status", "conditions"))
			fake.put("pytorchjobs", job)
			return
		}
		end := "Succeeded"
		if job.GetName() == "bad" {
			end = "Failed"
		}
		labels := map[string]string{"training.kubeflow.org/job-name": job.GetName(), "training.kubeflow.org/replica-type": "master", "training.kubeflow.org/replica-index": "0"}
		switch job.GetName() {
		case "huge":
			fake.putGang(job, "NeverFits", "needs 64 cpu; none fits on the empty cluster", "True")
			return
		case "stray":
			fake.putGang(job, "NoQueue", "there is no project gone", "False")
			return
		}
		pod := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Pod",
			"spec": map[string]any{"containers": []any{map[string]any{"name": "pytorch"}}},
			"status": map[string]any{"phase": "Succeeded", "containerStatuses": []any{map[string]any{
				"name": "pytorch", "state": map[string]any{"terminated": map[string]any{"exitCode": int64(0)}},
			}}},
		}}
		pod.SetName(job.GetName() + "-master-0")
		pod.SetNamespace(job.GetNamespace())
		pod.SetLabels(labels)
		for _, conditions := range [][]any{{is("Created")}, {is("Created"), is("Running")}, {is("Created"), is(end)}} {
			ts.Check(unstructured.SetNestedSlice(job.Object, conditions, "status", "conditions"))
			fake.put("pytorchjobs", job)
			fake.put("pods", pod)
		}
	}
}

// putGang of a job, which waits for a reason.
func (f *fakeCluster) putGang(job object, reason, message, stalled string) {
	gang := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "slipway.dev/v1alpha1", "kind": "Gang",
		"status": map[string]any{"conditions": []any{
			map[string]any{"type": "Placed", "status": "False", "reason": reason, "message": message},
			map[string]any{"type": "Stalled", "status": stalled},
		}},
	}}
	gang.SetName("pytorchjob-" + job.GetName())
	gang.SetNamespace(job.GetNamespace())
	gang.SetLabels(map[string]string{"training.kubeflow.org/job-name": job.GetName()})
	gang.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(job, job.GroupVersionKind())})
	f.put("gangs", gang)
}

func cmdRequests(ts *testscript.TestScript, _ bool, _ []string) {
	_, err := fmt.Fprint(ts.Stdout(), fakeOf(ts).requests())
	ts.Check(err)
}

func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if code, _ := strconv.Atoi(args[0]); !errors.As(err, &exit) || exit.ExitCode() != code {
		ts.Fatalf("%s: %v, want exit code %s", strings.Join(args[1:], " "), err, args[0])
	}
}

func cmdRelease(ts *testscript.TestScript, _ bool, args []string) {
	self, err := os.Executable()
	ts.Check(err)
	ts.Check(release.Pack(ts.MkAbs(args[1]), self, ts.MkAbs(args[0])))
}

func cmdDamage(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	content, err := os.ReadFile(file)
	ts.Check(err)
	content[len(content)-100] ^= 1
	ts.Check(os.WriteFile(file, content, 0o755))
}

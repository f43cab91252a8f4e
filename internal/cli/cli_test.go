// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/waiting"
	"slipway.dev/slipway/internal/cli/workload"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"image", "image", 0}, {"imgae", "image", 2}, {"", "abc", 3}, {"work", "workers", 3}, {"cpu", "gpus", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestCacheDirectory(t *testing.T) {
	for _, c := range []struct {
		root bool
		env  map[string]string
		want string
	}{
		{true, map[string]string{"HOME": "/home/somebody"}, "/var/cache/slipway"},
		{true, map[string]string{"XDG_CACHE_HOME": "/home/somebody/.cache"}, "/var/cache/slipway"},
		{false, map[string]string{"XDG_CACHE_HOME": "/cache"}, "/cache/slipway"},
		{false, map[string]string{"HOME": "/home/me"}, "/home/me/.cache/slipway"},
		{false, map[string]string{"HOME": "/home/me", "XDG_CACHE_HOME": "relative"}, "/home/me/.cache/slipway"},
	} {
		if got := cacheDirectory(c.root, func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestIsComponent(t *testing.T) {
	for name, want := range map[string]bool{
		"server": true, "control": true, "platform": true, "node": true, "node:node-1": true, "containerd:x": true,
		"server-1": false, "node-": false, "nodes": false, "my-node-1": false, "model/server": false,
	} {
		if got := isComponent(name); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestVersionLine(t *testing.T) {
	tail := " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	for _, c := range []struct {
		info debug.BuildInfo
		want string
	}{
		{debug.BuildInfo{}, "slipway development" + tail},
		{debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "slipway v1.2.3" + tail},
		{debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"},
		}}, "slipway development commit 0123456789ab with changes" + tail},
	} {
		if got := versionLine(&c.info); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestRow(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	pod := func(node string) corev1.Pod { return corev1.Pod{Spec: corev1.PodSpec{NodeName: node}} }
	w := workload.Workload{
		Kind: workload.Model(),
		Object: &slipwayv1.Model{
			ObjectMeta: metav1.ObjectMeta{Name: "tiny", Namespace: "team", CreationTimestamp: metav1.NewTime(now.Add(-90 * time.Minute))},
			Spec:       slipwayv1.ModelSpec{Replicas: ptr.To(int32(2))},
			Status: slipwayv1.ModelStatus{
				URL: "http://door/v1", ReadyReplicas: 2,
				Conditions: []metav1.Condition{{Type: slipwayv1.ConditionReady, Status: metav1.ConditionTrue}},
			},
		},
		Pods: []corev1.Pod{pod("d"), pod(""), pod("b"), pod("c"), pod("b"), pod("a")},
	}
	want := line{"team", "tiny", "Model", "speech", "Ready", "2/2", "90m", "a,b,c,1 more", "http://door/v1", ""}
	if diff := cmp.Diff(want, listing{projects: waiting.Projects{"team": "speech"}}.row(w, now), cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
}

func TestTableGoesOnAligned(t *testing.T) {
	var out bytes.Buffer
	table := listing{everywhere: true}.table()
	table.fixed = true
	table.add(line{namespace: "team", name: "tiny", kind: "Model", status: "Ready", pods: "1/1", age: "5m"})
	if err := table.print(&out); err != nil {
		t.Fatal(err)
	}
	table.add(line{namespace: "team", name: "a-much-longer-name", kind: "PyTorchJob", status: "Running", pods: "1/1"}.gone())
	if err := table.print(&out); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"NAMESPACE    NAME         KIND         PROJECT      STATUS       PODS         AGE          REASON",
		"team         tiny         Model        -            Ready        1/1          5m",
		"team         a-much-longer-name   PyTorchJob   -            Deleted",
		"",
	}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

// FuzzLifetime: what is read is printed so that it is read the same.
func FuzzLifetime(f *testing.F) {
	for _, seed := range []string{"30d", "12h", "7d12h", "-1d", "99999999999d", "1.5h", "", "0d", "+3d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var first, second lifetime
		if first.Set(text) != nil {
			return
		}
		if err := second.Set(first.String()); err != nil || first != second {
			t.Fatalf("%q is %s, which is read as %s, %v", text, &first, &second, err)
		}
	})
}

// TestSimulationIsInterrupted: it says so, and ends at once.
func TestSimulationIsInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(file, []byte("apiVersion: v1\nkind: Node\nmetadata: {name: node-1}"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	code := Main(ctx, Program{Args: []string{"slipway", "simulate", "--from", file}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs})
	if code != exitInterrupted || !strings.Contains(errs.String(), "simulating was interrupted before its end; bound how far it looks with --until") {
		t.Errorf("ended with %d: %s%s", code, out.String(), errs.String())
	}
}

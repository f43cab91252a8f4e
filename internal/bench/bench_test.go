// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPercentile(t *testing.T) {
	ten := []float64{10, 1, 9, 2, 8, 3, 7, 4, 6, 5}
	for _, c := range []struct {
		name    string
		samples []float64
		p, want float64
	}{
		{"median of ten is the fifth", ten, 50, 5},
		{"95th of ten is the last", ten, 95, 10},
		{"90th of ten is the ninth, exactly", ten, 90, 9},
		{"zero is the smallest", ten, 0, 1},
		{"a hundred is the largest", ten, 100, 10},
		{"above a hundred is the largest", ten, 120, 10},
		{"one sample is every percentile", []float64{4}, 50, 4},
		{"median of three", []float64{30, 10, 20}, 50, 20},
		{"ties", []float64{2, 2, 2, 1}, 50, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Percentile(c.samples, c.p); got != c.want {
				t.Errorf("Percentile(%v, %v) = %v, want %v", c.samples, c.p, got, c.want)
			}
		})
	}
	if ten[0] != 10 {
		t.Errorf("Percentile changed the order of its samples: %v", ten)
	}
	if got := Percentile(nil, 50); !math.IsNaN(got) {
		t.Errorf("Percentile of nothing = %v, want NaN", got)
	}
}

func TestHolds(t *testing.T) {
	for _, c := range []struct {
		name string
		bar  Bar
		want bool
	}{
		{"at the upper limit", AtMost("boot", 10, "s", 10), true},
		{"above the upper limit", AtMost("boot", 10.01, "s", 10), false},
		{"at the lower limit", AtLeast("jobs", 10, "1/s", 10), true},
		{"below the lower limit", AtLeast("jobs", 9.99, "1/s", 10), false},
		{"not measured, upper limit", AtMost("boot", math.NaN(), "s", 10), false},
		{"not measured, lower limit", AtLeast("jobs", math.NaN(), "1/s", 10), false},
		{"nothing promised", Observed("phase", 3, "s"), true},
		{"nothing promised, not measured", Observed("phase", math.NaN(), "s"), false},
	} {
		if c.bar.Holds != c.want {
			t.Errorf("%s: holds = %v, want %v", c.name, c.bar.Holds, c.want)
		}
	}
}

var lab = machine{Cores: 2, MemoryBytes: 16 << 30, CPU: "Lab CPU", Kernel: "6.1", OS: "Lab OS 1", Go: "go1.26 linux/amd64"}

func TestPrintTable(t *testing.T) {
	var got strings.Builder
	err := printTable(&got, "boot", []Bar{
		AtMost("Node Ready, p95", 8.25, "s", 10),
		AtMost("idle memory", 1234.5, "MB", 700),
		AtMost("pod Running", math.NaN(), "s", 1.5),
		Observed("etcd phase", 0.00042, "s"),
	}, lab)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimPrefix(`
boot on 2 cores, 16.0 GiB, Lab CPU, 6.1, Lab OS 1, go1.26 linux/amd64

BAR               MEASURED       LIMIT      VERDICT
Node Ready, p95   8.25 s         ≤ 10 s     holds
idle memory       1234 MB        ≤ 700 MB   MISS
pod Running       not measured   ≤ 1.5 s    MISS
etcd phase        0.00042 s      -          -
`, "\n")
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestWrite(t *testing.T) {
	root := t.TempDir()
	inside := filepath.Join(root, "internal", "room")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module lab\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(inside)
	bars := []Bar{AtMost("Node Ready", 8.25, "s", 10), Observed("etcd", math.NaN(), "s")}
	if err := Write("boot", bars); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "build", "bench", "boot.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, entry := range got {
		if here, _ := entry["machine"].(map[string]any); here["cores"] == nil {
			t.Errorf("entry %v does not say on which machine", entry["bar"])
		}
		delete(entry, "machine")
	}
	want := []map[string]any{
		{"bar": "Node Ready", "value": 8.25, "unit": "s", "limit": 10.0, "direction": "≤", "holds": true},
		{"bar": "etcd", "value": nil, "unit": "s", "limit": nil, "holds": false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("boot.json (-want +got):\n%s", diff)
	}
}

func TestMachineFiles(t *testing.T) {
	if got, want := memoryBytes("MemFree: 1 kB\nMemTotal:       16384 kB\n"), int64(16<<20); got != want {
		t.Errorf("memoryBytes = %d, want %d", got, want)
	}
	if got := memoryBytes(""); got != 0 {
		t.Errorf("memoryBytes of nothing = %d, want 0", got)
	}
	if got, want := field("processor\t: 0\nmodel name\t: Lab CPU @ 2:1\n", "model name", ":"), "Lab CPU @ 2:1"; got != want {
		t.Errorf("field = %q, want %q", got, want)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got, err := Parse("\ufeff" + `# two jobs
run_time, submit,pods,cpu,memory_gib,gpus,topology,required,name,user,limit
90,0,2,0.5,1.5,8,rack,true,"a, the first",ada,120

60,5,1,,,,,,,,
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{
		{Name: "a, the first", User: "ada", RunTime: 90, Limit: 120, Pods: 2, CPU: 500, Memory: 3 << 29, GPUs: 8, Topology: "rack", Required: true},
		{Name: "job-5", Submit: 5, RunTime: 60, Pods: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "line 1: the trace is empty; its first line names the columns, at least submit,pods,run_time"},
		{"submit,pods\n", "line 1: column run_time is missing; the first line names the columns, at least submit,pods,run_time"},
		{"submit,pods,run_time,gpu\n", `line 1: there is no column "gpu"; use submit, project, user, pods, gpus, cpu, memory_gib, run_time, limit, priority, checkpoint, topology, required, name`},
		{"submit,pods,run_time,pods\n", "line 1: column pods is there twice; remove one"},
		{"submit,pods,run_time\n1,2\n", "line 2: has 2 cells and the first line has 3; write one for each column, an empty one for nothing"},
		{"submit,pods,run_time\n\n0,1,1\n-1,2,3\n", `line 4, column submit: is "-1"; write whole seconds from 0 to 315360000`},
		{"submit,pods,run_time\n0,,3\n", `line 2, column pods: is ""; write a number from 1 to 1048576`},
		{"submit,pods,run_time\n0,1,0\n", `line 2, column run_time: is "0"; write whole seconds from 1 to 315360000`},
		{"submit,pods,run_time,gpus\n0,1,1,0.5\n", `line 2, column gpus: is "0.5"; write a whole number from 0 to 1073741824`},
		{"submit,pods,run_time,cpu\n0,1,1,NaN\n", `line 2, column cpu: is "NaN"; write a number from 0 to 1073741824`},
		{"submit,pods,run_time,priority\n0,1,1,high\n", `line 2, column priority: is "high"; write a whole number, higher goes first`},
		{"submit,pods,run_time,required\n0,1,1,maybe\n", `line 2, column required: is "maybe"; write true or false`},
		{"submit,pods,run_time,required\n0,1,1,true\n", "line 2, column required: is true without a topology; name the key of a label in column topology"},
		{"submit,pods,run_time,name\n0,1,1,a\n0,1,1,a\n", `line 3, column name: "a" is also the name on line 2; give each job its own, or leave the column out`},
		{"submit,pods,run_time\n0,1,\"1\n", `line 2: extraneous or missing " in quoted-field; write a cell with quotes or commas as "…", quotes in it twice`},
	} {
		_, err := Parse(c.text)
		var fault *Fault
		if !errors.As(err, &fault) || err.Error() != c.want {
			t.Errorf("%q\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func week() Shape {
	return Shape{GPUs: 1024, Load: 0.9, Length: 7 * day, Teams: []Team{{"a", 3, 5, 0}, {"b", 1, 2, 0}}}
}

// TestGenerate holds the trace against what is published of the clusters that it is
// made after.
func TestGenerate(t *testing.T) {
	records := Generate(week(), 1)
	if diff := cmp.Diff(records, Generate(week(), 1)); diff != "" {
		t.Errorf("the same seed gave another trace: %s", diff)
	}
	var gpuTime, single, gpus, large, overran float64
	var runs []float64
	byHour := map[int64]int{}
	for i, r := range records {
		n := float64(int64(r.Pods) * r.GPUs)
		gpus += n
		gpuTime += n * float64(r.RunTime)
		if n == 1 {
			single++
		}
		if n >= 8 {
			large += n * float64(r.RunTime)
		}
		if r.Limit > 0 && r.Limit < r.RunTime {
			overran++
		}
		runs = append(runs, float64(r.RunTime))
		byHour[r.Submit%day/hour]++
		if r.Submit < 0 || r.Submit >= 7*day || i > 0 && r.Submit < records[i-1].Submit {
			t.Fatalf("record %d comes at %d", i, r.Submit)
		}
	}
	slices.Sort(runs)
	count := float64(len(records))
	for _, c := range []struct {
		what             string
		got, least, most float64
	}{
		{"offered load", gpuTime / 1024 / float64(7*day), 0.9, 1.3},
		{"share of jobs with one GPU", single / count, 0.53, 0.57},
		{"mean GPUs", gpus / count, 3.4, 4.4},
		{"share of GPU time of jobs with eight and more", large / gpuTime, 0.5, 0.85},
		{"median run time", runs[len(runs)/2], 190, 222},
		{"share that overran", overran / count, 0.01, 0.03},
		{"afternoon to night", float64(byHour[14]) / float64(byHour[2]), 3, 6},
	} {
		if c.got < c.least || c.got > c.most || math.IsNaN(c.got) {
			t.Errorf("%s is %.3f, want %.3f to %.3f", c.what, c.got, c.least, c.most)
		}
	}
}

// FuzzParse: what is read can be written and read again, and is within bounds.
func FuzzParse(f *testing.F) {
	f.Add("submit,pods,run_time\n0,1,60\n")
	f.Add("submit,pods,run_time,gpus,cpu,memory_gib,name,required,topology\n0,1,60,8,0.1,1e3,\"x\ny\",true,rack\n")
	f.Add(Format(Generate(Shape{GPUs: 16, Load: 0.1, Length: hour, Teams: []Team{{"a", 1, 1, 0}}}, 1)))
	f.Fuzz(func(t *testing.T, content string) {
		records, err := Parse(content)
		if err != nil {
			var fault *Fault
			if !errors.As(err, &fault) || fault.Line < 1 {
				t.Fatalf("error %v does not say where", err)
			}
			return
		}
		for _, r := range records {
			if r.Pods < 1 || r.RunTime < 1 || min(r.Submit, r.Limit, r.GPUs, r.CPU, r.Memory, r.Checkpoint) < 0 || r.Name == "" {
				t.Fatalf("%+v is out of bounds", r)
			}
		}
		again, err := Parse(Format(records))
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		if diff := cmp.Diff(records, again); diff != "" {
			t.Fatalf("(-read +written and read again):\n%s", diff)
		}
	})
}

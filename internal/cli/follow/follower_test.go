// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"slipway.dev/slipway/internal/cli/workload"
)

// world is a cluster of one job whose pods' logs are kept as text.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	job     *kubeflowv1.PyTorchJob
	pods    []corev1.Pod
	logs    map[run]*log
	changed chan struct{}
	opened  []string
}

// log of one run of a container.
type log struct {
	text   string
	ended  bool
	broken chan struct{} // closed to break streams off
	more   chan struct{} // closed when text was added
}

func newWorld(t *testing.T, workers int32) *world {
	job := &kubeflowv1.PyTorchJob{ObjectMeta: metav1.ObjectMeta{Name: "tiny"}}
	job.Spec.PyTorchReplicaSpecs = map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec{"Master": {}}
	if workers > 1 {
		job.Spec.PyTorchReplicaSpecs["Worker"] = &kubeflowv1.ReplicaSpec{Replicas: ptr.To(workers - 1)}
	}
	return &world{t: t, job: job, logs: map[run]*log{}, changed: make(chan struct{}, 1)}
}

func (w *world) Changed() <-chan struct{} { return w.changed }
func (w *world) Trouble() error           { return nil }

func (w *world) One(context.Context) (*workload.Workload, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.job == nil {
		return nil, nil
	}
	ref, err := workload.ParseRef("pytorchjob/tiny")
	if err != nil {
		return nil, err
	}
	out := workload.Workload{Kind: ref.Kinds[0], Object: w.job.DeepCopy()}
	for _, pod := range w.pods {
		out.Pods = append(out.Pods, *pod.DeepCopy())
	}
	return &out, nil
}

// change the world and let the follower see it until nothing moves any more.
func (w *world) change(by func()) {
	w.mu.Lock()
	by()
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
	synctest.Wait()
}

func (w *world) condition(c kubeflowv1.JobConditionType) {
	w.job.Status.Conditions = append(w.job.Status.Conditions, kubeflowv1.JobCondition{Type: c, Status: corev1.ConditionTrue})
}

// starts a run of the master's container, in place of the pod of that name.
func (w *world) starts(rank int, uid types.UID, restarts int32) {
	kind, index := "master", rank
	if rank > 0 {
		kind, index = "worker", rank-1
	}
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: fmt.Sprintf("tiny-%s-%d", kind, index), UID: uid,
		Labels: map[string]string{kubeflowv1.ReplicaTypeLabel: kind, kubeflowv1.ReplicaIndexLabel: fmt.Sprint(index)},
	}}
	pod.Spec.Containers = []corev1.Container{{Name: "pytorch"}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "pytorch", RestartCount: restarts, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}}
	w.logs[run{uid, restarts}] = &log{broken: make(chan struct{}), more: make(chan struct{})}
	for i := range w.pods {
		if w.pods[i].Name == pod.Name {
			w.pods[i] = pod
			return
		}
	}
	w.pods = append(w.pods, pod)
}

func (w *world) says(r run, text string) {
	l := w.logs[r]
	l.text += time.Now().Format(time.RFC3339Nano) + " " + text + "\n"
	close(l.more)
	l.more = make(chan struct{})
}

// ends the run; its stream sees that before the pod's status says so.
func (w *world) ends(r run) {
	l := w.logs[r]
	l.ended = true
	close(l.more)
	l.more = make(chan struct{})
}

func (w *world) saysEnded(r run) {
	for i := range w.pods {
		if w.pods[i].UID == r.pod {
			w.pods[i].Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
		}
	}
}

func (w *world) breaks(r run) {
	close(w.logs[r].broken)
	w.logs[r].broken = make(chan struct{})
}

func (w *world) open(ctx context.Context, pod *corev1.Pod, options *corev1.PodLogOptions) (io.ReadCloser, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := run{pod.UID, pod.Status.ContainerStatuses[0].RestartCount}
	if options.Previous {
		r.restarts--
	}
	l := w.logs[r]
	if l == nil {
		return nil, errors.New("no such container")
	}
	since := time.Time{}
	if options.SinceTime != nil {
		since = options.SinceTime.Time
	}
	w.opened = append(w.opened, fmt.Sprintf("%s/%d", r.pod, r.restarts))
	reader, writer := io.Pipe()
	go w.serve(ctx, l, l.broken, since, writer)
	return reader, nil
}

// serve sends a log from the second on until it has ended or breaks.
func (w *world) serve(ctx context.Context, l *log, broken chan struct{}, since time.Time, to *io.PipeWriter) {
	for sent := 0; ; {
		w.mu.Lock()
		text, ended, more := l.text[sent:], l.ended, l.more
		sent = len(l.text)
		w.mu.Unlock()
		for line := range strings.Lines(text) {
			if at, _ := cut(line); !at.Before(since) {
				_, _ = io.WriteString(to, line)
			}
		}
		if ended {
			_ = to.Close()
			return
		}
		select {
		case <-more:
		case <-broken:
			_ = to.CloseWithError(errors.New("connection reset"))
			return
		case <-ctx.Done():
			_ = to.CloseWithError(ctx.Err())
			return
		}
	}
}

// following runs a follower in the background.
func (w *world) following(pick *Pick) (out *bytes.Buffer, done func() *workload.State) {
	out = &bytes.Buffer{}
	f := &Follower{View: w, Open: w.open, Pick: pick}
	var state *workload.State
	finished := make(chan error, 1)
	go func() {
		var err error
		state, err = f.Run(w.t.Context(), out)
		finished <- err
	}()
	synctest.Wait()
	return out, func() *workload.State {
		if err := <-finished; err != nil {
			w.t.Errorf("following: %v", err)
		}
		return state
	}
}

func expect(t *testing.T, out *bytes.Buffer, want string) {
	t.Helper()
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

func TestFollowAJobToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(t, 1), run{"a", 0}
		out, done := w.following(&Pick{Rank: 0})
		w.change(func() { w.starts(0, "a", 0); w.says(a, "step 1") })
		expect(t, out, "step 1\n")
		w.change(func() { w.says(a, "step 2"); w.ends(a) })
		// The job's end is heard of before the pod's.
		w.change(func() { w.condition(kubeflowv1.JobSucceeded) })
		w.change(func() { w.saysEnded(a) })
		state := done()
		expect(t, out, "step 1\nstep 2\n")
		if state == nil || state.Status != "Succeeded" {
			t.Errorf("ended with %+v", state)
		}
	})
}

func TestFollowAJobThatEndedBeforeItsPodWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(t, 1), run{"a", 0}
		out, done := w.following(&Pick{Rank: 0})
		w.change(func() { w.condition(kubeflowv1.JobFailed) })
		w.change(func() { w.starts(0, "a", 0); w.says(a, "oh no"); w.ends(a); w.saysEnded(a) })
		if state := done(); state == nil || !state.Failed {
			t.Errorf("ended with %+v", state)
		}
		expect(t, out, "oh no\n")
	})
}

func TestFollowAcrossABrokenConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(t, 1), run{"a", 0}
		out, done := w.following(&Pick{Rank: 0})
		w.change(func() { w.starts(0, "a", 0); w.says(a, "same time"); w.says(a, "same time") })
		w.change(func() { w.breaks(a); w.says(a, "same time") })
		<-time.After(time.Second)
		w.change(func() { w.says(a, "later") })
		expect(t, out, "same time\nsame time\nsame time\nlater\n")
		w.change(func() { w.ends(a); w.saysEnded(a); w.condition(kubeflowv1.JobSucceeded) })
		done()
		expect(t, out, "same time\nsame time\nsame time\nlater\n")
	})
}

func TestFollowAcrossARestartInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a, again := newWorld(t, 1), run{"a", 0}, run{"a", 1}
		out, done := w.following(&Pick{Rank: 0})
		w.change(func() { w.starts(0, "a", 0); w.says(a, "first") })
		// The connection breaks, and the container dies and is started again
		// before it is back.
		w.change(func() {
			w.breaks(a)
			w.says(a, "last words")
			w.ends(a)
			w.starts(0, "a", 1)
			w.says(again, "second")
		})
		expect(t, out, "first\nlast words\nsecond\n")
		w.change(func() { w.ends(again); w.saysEnded(again); w.condition(kubeflowv1.JobSucceeded) })
		done()
		expect(t, out, "first\nlast words\nsecond\n")
	})
}

func TestFollowTheReplacementOfALostPod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a, b := newWorld(t, 1), run{"a", 0}, run{"b", 0}
		out, done := w.following(&Pick{Rank: 0})
		w.change(func() { w.starts(0, "a", 0); w.says(a, "from a lost node") })
		// The stream of the lost node hangs; the new pod's log begins all the same.
		w.change(func() { w.starts(0, "b", 0); w.says(b, "from another node") })
		expect(t, out, "from a lost node\nfrom another node\n")
		w.change(func() { w.ends(b); w.saysEnded(b); w.condition(kubeflowv1.JobSucceeded) })
		done()
	})
}

func TestFollowEndsThoughAStreamHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := newWorld(t, 1), run{"a", 0}
		out, done := w.following(&Pick{Rank: 0})
		w.change(func() { w.starts(0, "a", 0); w.says(a, "one") })
		w.change(func() { w.pods = nil; w.condition(kubeflowv1.JobFailed) })
		begin := time.Now()
		done()
		if passed := time.Since(begin); passed > drainTime {
			t.Errorf("it took %s", passed)
		}
		expect(t, out, "one\n")
	})
}

func TestFollowAllPods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a, b := newWorld(t, 2), run{"a", 0}, run{"b", 0}
		out, done := w.following(&Pick{All: true})
		w.change(func() { w.starts(0, "a", 0); w.says(a, "one") })
		w.change(func() { w.starts(1, "b", 0); w.says(b, "two") })
		w.change(func() { w.says(a, "three") })
		w.change(func() { w.ends(a); w.ends(b); w.saysEnded(a); w.saysEnded(b); w.condition(kubeflowv1.JobSucceeded) })
		done()
		expect(t, out, "tiny-master-0 | one\ntiny-worker-0 | two\ntiny-master-0 | three\n")
	})
}

func TestFollowADeletedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		_, done := w.following(&Pick{Rank: 0})
		w.change(func() { w.job = nil })
		if state := done(); state != nil {
			t.Errorf("ended with %+v", state)
		}
	})
}

func TestWaitWithoutLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		var said []string
		f := &Follower{View: w, Say: func(s workload.State) { said = append(said, s.Status) }, Until: func(s workload.State) bool { return s.Status == "Running" }}
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			if state, err := f.Run(t.Context(), io.Discard); err != nil || state.Status != "Running" {
				t.Errorf("got %+v, %v", state, err)
			}
		}()
		synctest.Wait()
		w.change(func() { w.condition(kubeflowv1.JobCreated) })
		w.change(func() { w.condition(kubeflowv1.JobRunning) })
		<-finished
		if diff := cmp.Diff([]string{"Pending", "Waiting", "Running"}, said); diff != "" {
			t.Errorf("said (-want +got):\n%s", diff)
		}
	})
}

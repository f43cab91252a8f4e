// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"context"
	"io"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/internal/cli/workload"
)

// View is where a Follower looks; package live has it.
type View interface {
	// One is the workload, nil when there is none.
	One(context.Context) (*workload.Workload, error)
	Changed() <-chan struct{}
	// Trouble is why what One says may be old.
	Trouble() error
}

// Follower prints the logs of one workload's pods.
type Follower struct {
	View View
	Open Opener
	// Pick says whose logs; nil prints none and only waits.
	Pick *Pick
	// First cuts the log that is met first: TailLines, SinceSeconds, SinceTime.
	First corev1.PodLogOptions
	// Say tells a person of a change of state.
	Say func(workload.State)
	// Lost tells a person that the cluster does not answer.
	Lost func(error)
	// Until says which state ends it, besides the end of the workload.
	Until func(workload.State) bool

	out lines
}

// drainTime is how long a log may take to end after its workload has: that of a
// pod on a lost node never does.
const drainTime = 10 * time.Second

// settleTime is how much later than the end of a workload its pods may be heard
// of: jobs and pods are watched apart.
const settleTime = time.Second

// Run prints logs until the workload has ended and returns its last state, nil
// when it is gone. It returns early when the context ends.
func (f *Follower) Run(ctx context.Context, out io.Writer) (*workload.State, error) {
	f.out.out = out
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r := &running{Follower: f, tails: map[string]*tail{}, cancel: map[string]func(){}, news: make(chan ended)}
	defer r.stop(stop)
	var drain, settle <-chan time.Time
	for {
		w, err := f.View.One(ctx)
		if err != nil {
			return nil, err
		}
		state := r.tell(w)
		over := w == nil || state.Ended || f.Until != nil && f.Until(state)
		if over && drain == nil {
			drain, settle = time.After(drainTime), time.After(settleTime)
		}
		pause := r.look(ctx, w)
		if over && r.read() && (r.begun() || r.settled) {
			return result(w, state), nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-f.View.Changed():
		case news := <-r.news:
			r.ended(news)
		case <-clock(pause):
		case <-settle:
			r.settled = true
		case <-drain:
			return result(w, state), nil
		}
	}
}

func result(w *workload.Workload, state workload.State) *workload.State {
	if w == nil {
		return nil
	}
	return &state
}

// running is a Follower at work.
type running struct {
	*Follower
	tails  map[string]*tail
	cancel map[string]func()
	news   chan ended
	// wanted are the names of the pods whose logs are read.
	wanted []string
	told   workload.State
	lost   bool
	// settled says that no news of pods is awaited any more.
	settled bool
}

// tell a person what changed.
func (r *running) tell(w *workload.Workload) workload.State {
	trouble := r.View.Trouble()
	if trouble != nil && !r.lost && r.Lost != nil {
		r.Lost(trouble)
	}
	r.lost = trouble != nil
	if w == nil {
		return workload.State{}
	}
	state := w.State()
	if state.Status != r.told.Status || state.Reason != r.told.Reason {
		r.told = state
		if r.Say != nil {
			r.Say(state)
		}
	}
	return state
}

// look takes the next step for each log and returns after which pause to look
// again, zero for not before something changes.
func (r *running) look(ctx context.Context, w *workload.Workload) time.Duration {
	if w == nil || r.Pick == nil {
		return 0
	}
	current := ""
	if len(r.wanted) > 0 {
		current = r.wanted[0]
	}
	r.wanted = nil
	var pause time.Duration
	pods := r.Pick.of(*w, current)
	for i := range pods {
		r.wanted = append(r.wanted, pods[i].Name)
		if left := r.step(ctx, *w, &pods[i]); left > 0 && (pause == 0 || left < pause) {
			pause = left
		}
	}
	return pause
}

func (r *running) step(ctx context.Context, w workload.Workload, pod *corev1.Pod) time.Duration {
	t := r.tails[pod.Name]
	if t == nil {
		t = &tail{}
		r.tails[pod.Name] = t
	}
	container := w.Kind.MainContainer(pod)
	now, seen := time.Now(), observe(pod, container)
	switch s := t.decide(seen, now); s {
	case wait:
		if !t.open && !t.done && seen.started {
			return t.retry.Sub(now)
		}
	case abandon:
		r.cancel[pod.Name]()
	default:
		t.opened(s, seen)
		streaming, cancel := context.WithCancel(ctx)
		r.cancel[pod.Name] = cancel
		go r.Follower.read(streaming, pod, &t.position, r.options(t, s, container), r.news)
	}
	return 0
}

func (r *running) options(t *tail, s step, container string) *corev1.PodLogOptions {
	options := timestamped(container, true)
	options.Previous = s == previous
	options.SinceTime = t.position.since()
	if options.SinceTime == nil && t.first {
		options.TailLines, options.SinceSeconds, options.SinceTime = r.First.TailLines, r.First.SinceSeconds, r.First.SinceTime
	}
	return options
}

func (r *running) ended(news ended) {
	r.cancel[news.name]()
	r.tails[news.name].closed(news.err, news.fresh, time.Now())
}

// read says whether no log is left to read: none is open, and of each that was
// begun the end was read.
func (r *running) read() bool {
	for name, t := range r.tails {
		started := t.run != (run{}) || !r.settled
		if t.open || started && !t.done && slices.Contains(r.wanted, name) {
			return false
		}
	}
	return true
}

// begun says that a log was read, or that none is wanted.
func (r *running) begun() bool { return len(r.tails) > 0 || r.Pick == nil }

// stop ends the streams and waits for them, so that nothing is printed after
// Run has returned.
func (r *running) stop(cancel func()) {
	cancel()
	for _, t := range r.tails {
		if t.open {
			<-r.news
		}
	}
}

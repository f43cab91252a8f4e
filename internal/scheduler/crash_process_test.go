// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
)

// process is one scheduler, and what it has heard of.
type process struct {
	*scheduler
	w     *world
	heard map[string]client.Object
}

// ripe gathers what the binder is to look at.
type ripe struct {
	queue
	all []ctrl.Request
}

func (r *ripe) Add(request ctrl.Request) {
	if !slices.Contains(r.all, request) {
		r.all = append(r.all, request)
	}
}

// unwritten gathers what the writer is to look at.
type unwritten struct {
	writeQueue
	all []ctrl.Request
}

func (u *unwritten) AddWithOpts(_ priorityqueue.AddOpts, requests ...ctrl.Request) {
	u.all = append(u.all, requests...)
}

// silent is a recorder of no events.
type silent struct{ events.EventRecorder }

func (silent) Eventf(runtime.Object, runtime.Object, string, string, string, string, ...any) {}

func (w *world) process() *process {
	s := &scheduler{client: w, events: silent{}, ledger: newLedger(), binds: &ripe{}, writes: &unwritten{}}
	s.meters = newMeters(s)
	return &process{s, w, map[string]client.Object{}}
}

// hear of everything that changed, in any order.
func (p *process) hear() (news bool) {
	for _, key := range slices.Sorted(maps.Keys(p.heard)) {
		o := p.heard[key]
		if now := p.w.objects[key]; now == nil || now.GetUID() != o.GetUID() {
			delete(p.heard, key)
			news = p.remove(o) || news
		}
	}
	keys := p.w.keys()
	p.w.rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, key := range keys {
		o := p.w.objects[key]
		if was := p.heard[key]; was == nil || was.GetResourceVersion() != o.GetResourceVersion() {
			p.heard[key] = o
			news = p.set(o.DeepCopyObject().(client.Object)) || news
		}
	}
	return news
}

// round of decisions and of the writes that follow, in any order. It says whether there was anything to
// do, and whether the process died of it.
func (p *process) round(ctx context.Context) (did, died bool) {
	p.hear()
	now, names := time.Now(), []types.NamespacedName(nil)
	names = append(names, p.ledger.decide(now)...)
	reworded, _ := p.ledger.reword(100)
	names = append(append(names, reworded...), p.ledger.plan()...)
	names = append(names, p.ledger.changedProjects(now)...)
	writes := p.writes.(*unwritten)
	for _, request := range writes.all {
		names = append(names, request.NamespacedName)
	}
	writes.all = nil
	p.release()
	var todo []func() error
	for _, name := range names {
		todo = append(todo, func() error {
			_, err := writer{p.scheduler}.Reconcile(ctx, ctrl.Request{NamespacedName: name})
			return err
		})
	}
	binds := p.binds.(*ripe)
	for _, request := range binds.all {
		todo = append(todo, func() error {
			_, err := binder{p.scheduler}.Reconcile(ctx, request)
			return err
		})
	}
	binds.all = nil
	before := len(p.w.wrote)
	p.w.rng.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
	for _, do := range todo {
		if err := do(); errors.Is(err, errDead) {
			return true, true
		} else if err != nil {
			p.w.t.Fatal(err)
		}
		if p.w.rng.IntN(3) == 0 {
			p.hear()
		}
	}
	return len(p.w.wrote) > before, false
}

// rest returns when nothing is left to do for anybody.
func (p *process) rest(ctx context.Context) *process {
	p.w.t.Helper()
	for quiet := 0; quiet < 2; {
		if len(p.w.wrote) > 500 {
			p.w.t.Fatalf("the scheduler does not come to rest: %v", p.w.wrote[400:])
		}
		did, died := p.round(ctx)
		switch {
		case died:
			p.w.left = -1
			for p.w.rng.IntN(2) == 0 && p.w.play() {
			}
			p = p.w.process()
			quiet = 0
		case p.w.play() || did:
			quiet = 0
		case p.w.end():
			<-time.After(grace / 3)
			quiet = 0
		default:
			quiet++
		}
	}
	return p
}

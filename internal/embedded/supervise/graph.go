// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package supervise brings up a graph of steps, each as soon as what it needs
// is there, and keeps the processes among them alive afterwards.
//
// A step is a function that returns when it is done or, for a process, when the
// process serves. Whoever watches gets one event when a step begins and one
// when it ends; the table of boot times is made of those.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Step is one node of the boot graph.
type Step struct {
	Name  string
	Needs []string
	// Run returns when what later steps need is there.
	Run func(ctx context.Context) error
}

// Event is the begin or the end of a step.
type Event struct {
	Step string        `json:"step"`
	Done bool          `json:"done"`
	At   time.Time     `json:"at"`
	Took time.Duration `json:"took"`
	Err  error         `json:"-"`
}

// Run carries out the steps and returns the first failure, by which time every
// step that had begun has returned. A step whose needs failed is not begun.
func Run(ctx context.Context, steps []Step, observe func(Event)) error {
	if err := check(steps); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(map[string]chan struct{}, len(steps))
	for _, s := range steps {
		done[s.Name] = make(chan struct{})
	}
	var group sync.WaitGroup
	failed := make(chan error, len(steps))
	for _, s := range steps {
		group.Go(func() {
			if !await(ctx, s.Needs, done) {
				return
			}
			if err := runOne(ctx, s, observe); err != nil {
				err = fmt.Errorf("%s: %w", s.Name, err)
				failed <- err
				cancel(err)
				return
			}
			close(done[s.Name])
		})
	}
	group.Wait()
	// The cause of a deadline does not say which step took the time; the step's own error does.
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && len(failed) > 0 {
		return <-failed
	}
	return context.Cause(ctx)
}

func await(ctx context.Context, needs []string, done map[string]chan struct{}) bool {
	for _, need := range needs {
		select {
		case <-done[need]:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

func runOne(ctx context.Context, s Step, observe func(Event)) error {
	begin := time.Now()
	observe(Event{Step: s.Name, At: begin})
	err := s.Run(ctx)
	observe(Event{Step: s.Name, Done: true, At: time.Now(), Took: time.Since(begin), Err: err})
	return err
}

// check refuses a graph that could never finish.
func check(steps []Step) error {
	seen := make(map[string]bool, len(steps))
	for _, s := range steps {
		for _, need := range s.Needs {
			if !seen[need] {
				return fmt.Errorf("step %q needs %q, which is not before it", s.Name, need)
			}
		}
		if seen[s.Name] {
			return errors.New("two steps are named " + s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

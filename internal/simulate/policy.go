// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"strings"

	"slipway.dev/slipway/internal/placement"
)

// Policy names who decides.
type Policy string

const (
	// Slipway is the scheduler as it is.
	Slipway Policy = "slipway"
	// FIFO is strict: one line, in the order of arrival, and whoever does not fit
	// holds up all behind. Only a gang that could never fit, or that its own project's
	// limit holds back, steps aside.
	FIFO Policy = "fifo"
	// BestEffort tries all in the scheduler's order and skips who does not fit: no
	// plan, no promises, no backfill reservations, nobody gives way.
	BestEffort Policy = "best-effort"
)

// Policies are all of them.
func Policies() []Policy { return []Policy{Slipway, FIFO, BestEffort} }

// ParsePolicy finds a policy by its name.
func ParsePolicy(name string) (Policy, error) {
	var names []string
	for _, p := range Policies() {
		if string(p) == name {
			return p, nil
		}
		names = append(names, string(p))
	}
	return "", fmt.Errorf("there is no policy %q; use one of %s", name, strings.Join(names, ", "))
}

// driver carries a policy out over a picture.
type driver interface {
	// submit a gang, or refuse one that cannot be decided on.
	submit(placement.Gang) error
	// withdraw a gang that has ended.
	withdraw(key string)
	// update a gang that runs.
	update(g placement.Gang)
	// decide at a moment; the last verdict on a gang counts.
	decide(now int64) []placement.Verdict
	// wake is when to decide again though nothing may happen until then.
	wake() (int64, bool)
}

func (p Policy) driver(picture *placement.Picture, in *Input) driver {
	switch p {
	case FIFO:
		return &fifo{direct: direct{picture}, told: map[string]placement.Verdict{}}
	case BestEffort:
		return bestEffort{direct{picture}}
	}
	return &slipway{direct: direct{picture}, every: in.SettleEvery, due: in.Start}
}

// direct shows the picture all gangs when they come.
type direct struct{ picture *placement.Picture }

func (d direct) submit(g placement.Gang) error {
	g.Promised = 0 // who does not plan promises nothing
	return d.picture.SetGang(g)
}
func (d direct) withdraw(key string)   { d.picture.DeleteGang(key) }
func (d direct) update(placement.Gang) {}
func (d direct) wake() (int64, bool)   { return 0, false }

type slipway struct {
	direct
	// every so often it settles, at due again at the earliest; late says that it should.
	every, due int64
	late       bool
}

func (d *slipway) submit(g placement.Gang) error { return d.picture.SetGang(g) }

func (d *slipway) decide(now int64) []placement.Verdict {
	verdicts := d.picture.Advance(now)
	if d.late = now < d.due; !d.late {
		d.due = now + d.every
		verdicts = append(verdicts, d.picture.Settle()...)
	}
	return verdicts
}

func (d *slipway) update(g placement.Gang) { _ = d.picture.SetGang(g) } // submit has validated it

func (d *slipway) wake() (int64, bool) {
	if d.late {
		return d.due, true
	}
	at, is := d.picture.NextRight()
	return max(at, d.due), is
}

type bestEffort struct{ direct }

func (d bestEffort) decide(now int64) []placement.Verdict { return d.picture.Advance(now) }

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"

	"slipway.dev/slipway/internal/placement"
)

// fifo shows the picture nobody but those that run and the head of the line.
type fifo struct {
	direct
	line []placement.Gang
	// head is the key of the gang that the picture was shown last, if it waits.
	head string
	told map[string]placement.Verdict
}

func (d *fifo) submit(g placement.Gang) error {
	if err := g.Validate(); err != nil {
		return err
	}
	g.Promised = 0
	if len(g.Placement) > 0 {
		return d.picture.SetGang(g)
	}
	d.line = append(d.line, g)
	return nil
}

func (d *fifo) withdraw(key string) {
	d.line = slices.DeleteFunc(d.line, func(g placement.Gang) bool { return g.Key == key })
	delete(d.told, key)
	d.picture.DeleteGang(key)
}

func (d *fifo) decide(now int64) []placement.Verdict {
	verdicts := d.note(d.picture.Advance(now))
	for i := 0; i < len(d.line); {
		g := d.line[i]
		if d.head != g.Key {
			_ = d.picture.SetGang(g) // submit has validated it
			d.head = g.Key
			verdicts = append(verdicts, d.note(d.picture.Decide())...)
		}
		switch told := d.told[g.Key]; {
		case told.State == placement.Placed:
			d.line = slices.Delete(d.line, i, i+1)
		case told.State == placement.Never || heldBack(told.Reason):
			d.picture.DeleteGang(g.Key)
			i++
		default:
			return verdicts
		}
		d.head = ""
	}
	return verdicts
}

// heldBack by its own project, which is no reason to hold up others.
func heldBack(r *placement.Reason) bool {
	return r != nil && (r.Code == placement.QuotaExceeded || r.Code == placement.NoQueue)
}

func (d *fifo) note(verdicts []placement.Verdict) []placement.Verdict {
	for _, v := range verdicts {
		d.told[v.Gang] = v
	}
	return verdicts
}

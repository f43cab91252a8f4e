// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// position is how far the log of one run of a container was printed. Logs can
// be asked for from a second on only, so what was printed of that second comes
// again and is known by its time.
type position struct {
	last time.Time
	// same is how many lines with the time last were printed.
	same int
	// repeating is set until the first line that was not printed yet; skip is
	// how many lines with the time last are still to come before it.
	repeating bool
	skip      int
}

// rewind is called before a stream is opened again.
func (p *position) rewind() { p.repeating, p.skip = !p.last.IsZero(), p.same }

// since is from where to ask, nil for the beginning.
func (p *position) since() *metav1.Time {
	if p.last.IsZero() {
		return nil
	}
	return &metav1.Time{Time: p.last.Truncate(time.Second)}
}

// fresh says whether the next line, of that time, was not printed yet, and
// counts it. Within one stream every line is, also when the clock of the node
// was set back.
func (p *position) fresh(at time.Time) bool {
	if p.repeating {
		if at.Before(p.last) {
			return false
		}
		if at.Equal(p.last) && p.skip > 0 {
			p.skip--
			return false
		}
		p.repeating = false
	}
	if at.Equal(p.last) {
		p.same++
	} else {
		p.last, p.same = at, 1
	}
	return true
}

// cut takes the timestamp, which the kubelet writes in RFC 3339 with
// nanoseconds, off a line; the time is zero where there is none.
func cut(line string) (time.Time, string) {
	stamp, text, found := strings.Cut(line, " ")
	if !found {
		stamp, text = strings.TrimSuffix(line, "\n"), "\n"
	}
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return time.Time{}, line
	}
	return at, text
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestCut(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	stamp := at.Format(time.RFC3339Nano)
	for _, c := range []struct {
		line, text string
		at         time.Time
	}{
		{stamp + " step 1\n", "step 1\n", at},
		{stamp + "  indented\n", " indented\n", at},
		{stamp + " \n", "\n", at},
		{stamp + "\n", "\n", at},
		{"step 1\n", "step 1\n", time.Time{}},
		{"\n", "\n", time.Time{}},
	} {
		if got, text := cut(c.line); !got.Equal(c.at) || text != c.text {
			t.Errorf("%q: got %s, %q", c.line, got, text)
		}
	}
}

func TestAClockSetBackLosesNothing(t *testing.T) {
	var out bytes.Buffer
	log := "2026-01-02T03:04:05Z a\n2026-01-02T03:04:04Z b\n2026-01-02T03:04:04Z c\n"
	if _, err := copyLog(strings.NewReader(log), &position{}, "", &lines{out: &out}); err != nil || out.String() != "a\nb\nc\n" {
		t.Errorf("got %q, %v", &out, err)
	}
}

func TestTheLastLineEnds(t *testing.T) {
	var out bytes.Buffer
	n, err := copyLog(strings.NewReader("2026-01-02T03:04:05Z a\n2026-01-02T03:04:05Z b"), &position{}, "pod | ", &lines{out: &out})
	if out.String() != "pod | a\npod | b\n" || n != 2 || err != nil {
		t.Errorf("got %q, %d, %v", &out, n, err)
	}
}

// FuzzResume: a log that is read in pieces, each asked for from the second of
// the last line and broken off somewhere, is printed once, whole and in order.
func FuzzResume(f *testing.F) {
	f.Add([]byte{0, 1, 1, 0, 0, 200}, []byte{40, 90, 3})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0}, []byte{100, 100, 100})
	f.Add([]byte{255, 255, 0, 1}, []byte{1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, steps, breaks []byte) {
		var log []string
		at, want := time.Unix(1_700_000_000, 0).UTC(), ""
		times := make([]time.Time, len(steps))
		for i, step := range steps {
			at = at.Add(time.Duration(step) * 10 * time.Millisecond)
			times[i] = at
			log = append(log, fmt.Sprintf("%s line %d\n", at.Format(time.RFC3339Nano), i))
			want += fmt.Sprintf("line %d\n", i)
		}
		from := func(since time.Time) string {
			for i := range log {
				if !times[i].Before(since) {
					return strings.Join(log[i:], "")
				}
			}
			return ""
		}
		var out bytes.Buffer
		p, to := position{}, &lines{out: &out}
		for _, length := range append(breaks, 255, 255) {
			p.rewind()
			text := from(sinceOf(&p))
			if int(length) < 255 && int(length) < len(text) {
				// A stream breaks between lines: the kubelet sends whole ones.
				text = text[:strings.LastIndex(text[:length], "\n")+1]
				_, _ = copyLog(io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("broken"))), &p, "", to)
				continue
			}
			_, _ = copyLog(strings.NewReader(text), &p, "", to)
		}
		if out.String() != want {
			t.Fatalf("printed %q, want %q", &out, want)
		}
	})
}

func sinceOf(p *position) time.Time {
	if since := p.since(); since != nil {
		return since.Time
	}
	return time.Time{}
}

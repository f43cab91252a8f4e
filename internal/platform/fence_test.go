// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lease is a record that others may write, too.
type lease struct {
	resourcelock.Interface
	record resourcelock.LeaderElectionRecord
}

func (l *lease) Identity() string { return "own" }

func (l *lease) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record := l.record
	return &record, nil, nil
}

func (l *lease) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	l.record = record
	return nil
}

// sent counts requests.
type sent int

func (s *sent) RoundTrip(*http.Request) (*http.Response, error) {
	*s++
	return &http.Response{Body: http.NoBody}, nil
}

// held by somebody, who renewed just now.
func heldBy(holder string) resourcelock.LeaderElectionRecord {
	return resourcelock.LeaderElectionRecord{HolderIdentity: holder, RenewTime: metav1.Now()}
}

// gate is a fence, with what is behind it and what it knows.
type gate struct {
	t       *testing.T
	lease   lease
	lock    *lock
	deposed int
	through sent
}

func newGate(t *testing.T) *gate {
	g := &gate{t: t}
	g.lock = &lock{Interface: &g.lease, follows: make(chan struct{}), deposed: func() { g.deposed++ }}
	return g
}

func (g *gate) renew() {
	g.t.Helper()
	if err := g.lock.Update(g.t.Context(), heldBy("own")); err != nil {
		g.t.Fatal(err)
	}
}

// finds who leads, and is deposed by that so many times since the start.
func (g *gate) finds(deposed int, want error) {
	g.t.Helper()
	if _, _, err := g.lock.Get(g.t.Context()); !errors.Is(err, want) || g.deposed != deposed {
		g.t.Errorf("deposed %d times, %v; want %d, %v", g.deposed, err, deposed, want)
	}
}

// tries whether a request passes.
func (g *gate) tries(method, path string, want bool) {
	g.t.Helper()
	before := g.through
	response, err := fence{&g.through, g.lock}.RoundTrip(request(g.t, method, path))
	if err == nil {
		response.Body.Close()
	}
	if (err == nil) != want || (g.through > before) != want {
		g.t.Errorf("%s %s: sent %t, %v; want %t", method, path, g.through > before, err, want)
	}
}

func request(t *testing.T, method, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://api"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const pods = "/api/v1/namespaces/a/pods"

func TestFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.tries(http.MethodPost, pods, true) // A follower has nothing to write, and is not asked.
		g.renew()
		<-time.After(renewDeadline - time.Second)
		g.tries(http.MethodPatch, pods, true)
		<-time.After(time.Second)
		g.tries(http.MethodPost, pods, false)
		g.tries(http.MethodDelete, pods, false)
		g.tries(http.MethodGet, pods, true)
		g.tries(http.MethodPost, "/apis/authentication.k8s.io/v1/tokenreviews", true)
		g.tries(http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", true)
		g.finds(0, nil)
		g.renew() // Nobody else wanted to lead.
		g.tries(http.MethodPost, pods, true)
	})
}

// TestFenceStaysShut for a platform that another one followed, be it another process of its name, and for
// one that stepped down: whatever it writes after that was decided before.
func TestFenceStaysShut(t *testing.T) {
	for name, lose := range map[string]func(*gate){
		"to another one": func(g *gate) {
			g.lease.record = heldBy("other")
			g.finds(1, errDeposed)
		},
		"to one of its name": func(g *gate) {
			g.lease.record = heldBy("own")
			g.finds(1, errDeposed)
		},
		"by itself": func(g *gate) { // It ends by what made it step down, and is told nothing.
			if err := g.lock.Update(g.t.Context(), heldBy("")); err != nil {
				g.t.Fatal(err)
			}
			g.finds(0, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(t)
				g.renew()
				<-time.After(time.Second)
				g.finds(0, nil) // its own record
				lose(g)
				g.tries(http.MethodPost, pods, false)
				g.renew()
				g.tries(http.MethodPost, pods, false)
				g.tries(http.MethodGet, pods, true)
			})
		})
	}
}

// TestClockIsSetBack: a leader that renewed later than it is now, and fails to once, is not deposed by its own record.
func TestClockIsSetBack(t *testing.T) {
	g := newGate(t)
	g.renew()
	back := g.lease.record
	back.RenewTime.Time = back.RenewTime.Add(-5 * time.Second)
	if err := g.lock.renew(back, func() error { return errors.New("try again") }); err == nil {
		t.Fatal("renewed")
	}
	if _, _, err := g.lock.Get(t.Context()); err != nil || g.deposed > 0 {
		t.Errorf("deposed %d times, %v", g.deposed, err)
	}
}

// stuck is a network that a request does not get through until it is given up.
type stuck struct{}

func (stuck) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestFenceGivesUp what was sent in time and waits for a connection, before another one may lead.
func TestFenceGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.renew()
		renewed := time.Now()
		<-time.After(renewDeadline / 2)
		if _, err := (fence{stuck{}, g.lock}).RoundTrip(request(t, http.MethodPost, pods)); !errors.Is(err, errDeposed) {
			t.Errorf("a request that hangs ends with %v", err)
		}
		if took := time.Since(renewed); took != renewDeadline {
			t.Errorf("it is given up %s after the lease was renewed, want %s", took, renewDeadline)
		}
	})
}

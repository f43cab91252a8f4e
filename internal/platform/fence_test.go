// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lease is a record that others may write, too.
type lease struct {
	resourcelock.Interface
	holder string
}

func (l *lease) Identity() string { return "own" }

func (l *lease) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	return &resourcelock.LeaderElectionRecord{HolderIdentity: l.holder}, nil, nil
}

func (l *lease) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	l.holder = record.HolderIdentity
	return nil
}

// sent counts requests.
type sent int

func (s *sent) RoundTrip(*http.Request) (*http.Response, error) {
	*s++
	return &http.Response{}, nil
}

func TestFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		record, deposed, through := &lease{}, 0, sent(0)
		l := &lock{Interface: record, follows: make(chan struct{}), deposed: func() { deposed++ }}
		f := fence{&through, l}
		tries := func(method, path string, want bool) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, "https://api"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			before := through
			response, err := f.RoundTrip(r)
			if err == nil && response.Body != nil {
				response.Body.Close()
			}
			if (err == nil) != want || (through > before) != want {
				t.Errorf("%s %s: sent %t, %v; want %t", method, path, through > before, err, want)
			}
		}
		const pods = "/api/v1/namespaces/a/pods"
		tries(http.MethodPost, pods, true) // A follower has nothing to write, and is not asked.
		if err := l.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "own"}); err != nil {
			t.Fatal(err)
		}
		<-time.After(renewDeadline - time.Second)
		tries(http.MethodPatch, pods, true)
		<-time.After(time.Second)
		tries(http.MethodPost, pods, false)
		tries(http.MethodDelete, pods, false)
		tries(http.MethodGet, pods, true)
		tries(http.MethodPost, "/apis/authentication.k8s.io/v1/tokenreviews", true)
		tries(http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", true)

		if _, _, err := l.Get(t.Context()); err != nil || deposed > 0 {
			t.Errorf("deposed %d times by nobody, %v", deposed, err)
		}
		record.holder = "other"
		if _, _, err := l.Get(t.Context()); err != nil || deposed == 0 {
			t.Errorf("deposed %d times by another, %v", deposed, err)
		}
		if err := l.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "own"}); err != nil {
			t.Fatal(err)
		}
		tries(http.MethodPost, pods, true)
	})
}

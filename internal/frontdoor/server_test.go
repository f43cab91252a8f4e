// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	toolscache "k8s.io/client-go/tools/cache"
)

// started is a server on a free port, its URL, what stops it and how it ended.
func started(t *testing.T, s *server) (url string, stop func(), ended <-chan error) {
	t.Helper()
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.log = testr.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- s.Start(ctx) }()
	return "http://" + s.listener.Addr().String(), cancel, result
}

func TestDrain(t *testing.T) {
	release := make(chan struct{})
	for _, c := range []struct {
		name  string
		drain time.Duration
		cut   bool
	}{{"in time", time.Hour, false}, {"too late", time.Millisecond, true}} {
		t.Run(c.name, func(t *testing.T) {
			url, stop, ended := started(t, &server{drain: c.drain, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.(http.Flusher).Flush()
				select {
				case <-release:
				case <-r.Context().Done():
				}
				io.WriteString(w, "last")
			})})
			response, err := http.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			stop()
			if c.cut {
				<-ended
			} else {
				release <- struct{}{}
			}
			body, err := io.ReadAll(response.Body)
			if c.cut != (err != nil) || !c.cut && string(body) != "last" {
				t.Errorf("got %q, %v", body, err)
			}
			if !c.cut {
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
			if _, err := http.Get(url); err == nil {
				t.Error("it still answers")
			}
		})
	}
}

func TestWaitsForTheWatches(t *testing.T) {
	known := make(chan struct{})
	url, stop, ended := started(t, &server{
		handler: http.NotFoundHandler(),
		drain:   time.Hour,
		synced: []toolscache.InformerSynced{func() bool {
			select {
			case <-known:
				return true
			default:
				return false
			}
		}},
	})
	early, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(early, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(request); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before the watches have told everything: got %v", err)
	}
	close(known)
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestListenerFails(t *testing.T) {
	s := &server{handler: http.NotFoundHandler(), drain: time.Hour}
	_, _, ended := started(t, s)
	s.listener.Close()
	if err := <-ended; err == nil {
		t.Error("got no error")
	}
}

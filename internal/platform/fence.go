// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// errDeposed ends a platform that led and finds that another one does, or may.
var errDeposed = errors.New("another platform leads now, or may: this one was not heard of for too long")

// fence keeps a platform that led from writing once another one may lead. A process that
// was stopped, with its machine or alone, goes on where it was, with decisions made from
// what it saw before; client-go lets it try to renew its lease for renewDeadline more.
// Nothing is written from the moment on at which the lease was last renewed that long ago, nor by
// one that stepped down or found another one in its place. What was sent and has had no answer
// by that moment is given up: it may still wait for a connection. What is on its way then has
// the rest of leaseDuration to arrive.
type fence struct {
	next http.RoundTripper
	lock *lock
}

// RoundTrip refuses what would change something, and lets questions through that are put
// by writing: who somebody is and what one may.
func (f fence) RoundTrip(r *http.Request) (*http.Response, error) {
	if asks(r) {
		return f.next.RoundTrip(r)
	}
	left, led := f.lock.left(time.Now())
	switch {
	case !led:
		return f.next.RoundTrip(r)
	case left <= 0:
		return nil, fmt.Errorf("%s %s: not sent: %w", r.Method, r.URL.Path, errDeposed)
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), left, errDeposed)
	response, err := f.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		defer cancel()
		if cause := context.Cause(ctx); errors.Is(cause, errDeposed) {
			err = fmt.Errorf("%s %s: given up: %w", r.Method, r.URL.Path, cause)
		}
		return nil, err
	}
	response.Body = answer{response.Body, cancel}
	return response, nil
}

// asks says that a request changes nothing.
func asks(r *http.Request) bool {
	return r.Method == http.MethodGet || strings.HasPrefix(r.URL.Path, "/apis/authentication.k8s.io/") ||
		strings.HasPrefix(r.URL.Path, "/apis/authorization.k8s.io/")
}

// answer whose request is over when it is closed: that ends the wait for the rest of it, too.
type answer struct {
	io.ReadCloser
	over context.CancelFunc
}

// Close the answer, read or not.
func (a answer) Close() error {
	defer a.over()
	return a.ReadCloser.Close()
}

// left of the time in which a platform that leads may write; led is false for one that never did.
// The monotonic clock stands still while a machine is suspended, the other one does not.
func (l *lock) left(now time.Time) (left time.Duration, led bool) {
	renewed := l.renewed.Load()
	switch {
	case renewed == nil:
		return 0, false
	case l.over.Load():
		return 0, true
	}
	return renewDeadline - max(now.Sub(*renewed), now.Round(0).Sub(renewed.Round(0))), true
}

// Create the record, and take note of the moment.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.renew(record, func() error { return l.Interface.Create(ctx, record) })
}

// Update the record, and take note of the moment.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.renew(record, func() error { return l.Interface.Update(ctx, record) })
}

// renew counts from before the request: others count from when it was carried out. Who names
// another holder, or none, steps down.
func (l *lock) renew(record resourcelock.LeaderElectionRecord, write func() error) error {
	if record.HolderIdentity != l.Identity() {
		l.over.Store(true)
		return write()
	}
	if tried := l.tried.Load(); tried == nil || record.RenewTime.After(*tried) { // The clock may have been set back.
		l.tried.Store(&record.RenewTime.Time)
	}
	began := time.Now()
	err := write()
	if err == nil {
		l.renewed.Store(&began)
	}
	return err
}

// deposes says that by a record another one leads, or led, since the lease was ours. That may be another
// process of the same name, which took this one for ended: it renewed later than this one ever tried to.
func (l *lock) deposes(record *resourcelock.LeaderElectionRecord) bool {
	if l.renewed.Load() == nil || record.HolderIdentity == "" {
		return false
	}
	return record.HolderIdentity != l.Identity() || record.RenewTime.After(*l.tried.Load())
}

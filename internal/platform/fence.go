// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// errDeposed ends a platform that led and finds that another one does.
var errDeposed = errors.New("another platform leads now: this one was not heard of for too long")

// fence keeps a platform that led from writing once another one may lead. A process that
// was stopped, with its machine or alone, goes on where it was, with decisions made from
// what it saw before; client-go lets it try to renew its lease for renewDeadline more.
// Nothing is written from the moment on at which the lease was last renewed that long ago.
type fence struct {
	next http.RoundTripper
	lock *lock
}

// RoundTrip refuses what would change something, and lets questions through that are put
// by writing: who somebody is and what one may.
func (f fence) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet && !strings.HasPrefix(r.URL.Path, "/apis/authentication.k8s.io/") &&
		!strings.HasPrefix(r.URL.Path, "/apis/authorization.k8s.io/") {
		if age, led := f.lock.age(time.Now()); led && age >= renewDeadline {
			return nil, fmt.Errorf("%s %s: not sent, since this platform last renewed its leadership %s ago", r.Method, r.URL.Path, age.Round(time.Second))
		}
	}
	return f.next.RoundTrip(r)
}

// age of the leadership since it was last renewed; not led says that it never was ours.
// The monotonic clock stands still while a machine is suspended, the other one does not.
func (l *lock) age(now time.Time) (age time.Duration, led bool) {
	renewed := l.renewed.Load()
	if renewed == nil {
		return 0, false
	}
	return max(now.Sub(*renewed), now.Round(0).Sub(renewed.Round(0))), true
}

// Create the record, and take note of the moment.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.renew(record, func() error { return l.Interface.Create(ctx, record) })
}

// Update the record, and take note of the moment.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.renew(record, func() error { return l.Interface.Update(ctx, record) })
}

// renew counts from before the request: others count from when it was carried out.
func (l *lock) renew(record resourcelock.LeaderElectionRecord, write func() error) error {
	began := time.Now()
	err := write()
	if err == nil && record.HolderIdentity == l.Identity() {
		l.renewed.Store(&began)
	}
	return err
}

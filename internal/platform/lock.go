// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// errDeposed ends a platform that led and finds that another one does, or may.
var errDeposed = errors.New("another platform leads now, or may: this one was not heard of for too long")

// lock is the Lease, and notices that another platform holds it.
type lock struct {
	resourcelock.Interface
	once sync.Once
	// follows is closed when another one leads.
	follows chan struct{}
	// renewed is when the lease was last, if it was ours, and tried the latest time in a record that this
	// platform tried to write.
	renewed, tried atomic.Pointer[time.Time]
	// over says that it was ours, and never is again: this process ends.
	over atomic.Bool
	// deposed is called when it is another's that was ours.
	deposed func()
}

// Get the record of who leads. Who is deposed gets none, lest it takes the lease back before it ends.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	if record.HolderIdentity != "" && record.HolderIdentity != l.Identity() {
		l.once.Do(func() { close(l.follows) })
	}
	if l.deposes(record) {
		l.over.Store(true)
		l.deposed()
		return nil, nil, errDeposed
	}
	return record, raw, nil
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

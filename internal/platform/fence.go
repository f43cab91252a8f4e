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
)

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

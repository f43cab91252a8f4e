// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"net/http"
	"time"
)

// answer is the way back to the client. A client that does not read for too
// long is given up on, so that it does not hold a replica for ever.
type answer struct {
	http.ResponseWriter
	connection *http.ResponseController
	idle       time.Duration
	status     int // zero until the header is sent
}

func newAnswer(w http.ResponseWriter, idle time.Duration) *answer {
	return &answer{ResponseWriter: w, connection: http.NewResponseController(w), idle: idle}
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader sends the header. Informational ones are not passed on: a replica
// has nothing to say before its answer.
func (a *answer) WriteHeader(status int) {
	if status < http.StatusOK {
		return
	}
	if a.status == 0 {
		a.status = status
	}
	a.extend()
	a.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (a *answer) Write(part []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	a.extend()
	return a.ResponseWriter.Write(part)
}

// expect gives the client so long to send the next part of its body.
func (a *answer) expect(within time.Duration) {
	a.connection.SetReadDeadline(time.Now().Add(within)) //nolint:errcheck // a test's writer has no deadlines
}

// expectNothing lets the client be silent: it has sent its body.
func (a *answer) expectNothing() {
	a.connection.SetReadDeadline(time.Time{}) //nolint:errcheck // a test's writer has no deadlines
}

func (a *answer) extend() {
	a.connection.SetWriteDeadline(time.Now().Add(a.idle)) //nolint:errcheck // a test's writer has no deadlines
}

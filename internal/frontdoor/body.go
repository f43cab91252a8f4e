// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	// firstRoom bounds what is set aside for a body before it comes.
	firstRoom = 512 << 10
	// uploadIdle is how long a client may pause while it sends its body.
	uploadIdle = 30 * time.Second
)

// readBody reads a whole body of at most so many bytes. A client that pauses
// for too long is given up on; one that is slow is not.
func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, &failure{status: http.StatusUnsupportedMediaType, kind: "invalid_request_error", code: "unsupported_encoding",
			message: "the body is compressed; send it without Content-Encoding"}
	}
	if r.ContentLength > most {
		return nil, tooLarge(most)
	}
	connection := http.NewResponseController(w)
	defer connection.SetReadDeadline(time.Time{}) //nolint:errcheck // a test's writer has no deadlines
	limited := http.MaxBytesReader(w, r.Body, most)
	body := make([]byte, 0, min(max(r.ContentLength, 511), firstRoom)+1)
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		connection.SetReadDeadline(time.Now().Add(uploadIdle)) //nolint:errcheck // a test's writer has no deadlines
		n, err := limited.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, nil
		}
		if err != nil {
			return nil, unread(err, most)
		}
	}
}

func tooLarge(most int64) *failure {
	return &failure{status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", code: "request_too_large",
		message: "the body is larger than " + sizeText(most) + ", the most that is taken; send less at a time"}
}

func unread(err error, most int64) *failure {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge(most)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &failure{status: http.StatusRequestTimeout, kind: "invalid_request_error", code: "request_timeout",
			message: "the body did not come: nothing was received for " + uploadIdle.String()}
	}
	return badRequest("the body ended too early; its length is not what the header says")
}

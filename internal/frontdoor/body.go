// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
)

const (
	// firstRoom bounds what is set aside for a body before it comes, in bytes.
	firstRoom = 512 << 10
	// unknownRoom is what is set aside for a body of unknown length.
	unknownRoom = 512
)

// readBody reads the whole body, within the room that is left for it. A client
// that pauses for too long is given up on; one that is slow is not.
func (v *visit) readBody(room *hold) ([]byte, error) {
	most := v.door.options.MaxBody
	if coding := v.request.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, &failure{status: http.StatusUnsupportedMediaType, kind: "invalid_request_error", code: "unsupported_encoding",
			message: "the body is compressed; send it without Content-Encoding"}
	}
	if v.request.ContentLength > most {
		return nil, tooLarge(most)
	}
	size, whole := int64(unknownRoom), most+1 // a byte more, to find the end
	if length := v.request.ContentLength; length >= 0 {
		size, whole = min(length+1, firstRoom), length+1
	}
	limited := http.MaxBytesReader(v.answer, v.request.Body, most)
	for body := []byte(nil); ; size = min(2*int64(cap(body)), whole) {
		if err := room.grow(size); err != nil {
			return nil, err
		}
		body = slices.Grow(body, int(size)-len(body))
		var err error
		if body, err = v.fill(body, limited); errors.Is(err, io.EOF) {
			v.answer.expectNothing()
			return body, nil
		}
		if err != nil {
			return nil, v.unread(err)
		}
	}
}

// fill reads until there is no room left in the body, or an error.
func (v *visit) fill(body []byte, from io.Reader) ([]byte, error) {
	for len(body) < cap(body) {
		v.answer.expect(v.door.options.Upload)
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err != nil {
			return body, err
		}
	}
	return body, nil
}

func tooLarge(most int64) *failure {
	return &failure{status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", code: "request_too_large",
		message: "the body is larger than " + sizeText(most) + ", the most that is taken; send less at a time"}
}

// unread is why a body could not be read. The deadline stays, for net/http waits
// for the rest.
func (v *visit) unread(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge(large.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		v.late = true
		v.answer.Header().Set("Connection", "close")
		return &failure{status: http.StatusRequestTimeout, kind: "invalid_request_error", code: "request_timeout",
			message: "the body did not come: nothing was received for " + v.door.options.Upload.String()}
	}
	return badRequest("the body ended too early; its length is not what the header says")
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// maxLine is how much of a line without an end is held back.
const maxLine = 8 << 10

// receiveEvents makes a stream end in words if its replica dies. The words are
// more than the replica announced, so the length is not passed on.
func (x *relay) receiveEvents(response *http.Response) {
	// Without a length or chunks, the end of the connection is the end of the
	// answer, and looks the same when the replica dies.
	unframed := response.ContentLength < 0 && len(response.TransferEncoding) == 0
	response.ContentLength = -1
	response.Header.Del("Content-Length")
	response.Body = &events{
		ReadCloser: response.Body,
		mustBeDone: unframed && endsWithDone(x.request.URL.Path),
		last:       x.lastWords,
	}
}

// lastWords are what a client reads after its stream broke off, or nothing if
// it is the client who left.
func (x *relay) lastWords(err error) []byte {
	var f *failure
	if x.request.Context().Err() != nil || !errors.As(x.explain(err), &f) {
		return nil
	}
	x.brokenOff = true
	// The empty lines end whatever event was being sent.
	return append(append([]byte("\n\ndata: "), f.body()...), "\n\ndata: [DONE]\n\n"...)
}

// events passes a stream of events on as it comes, save that the beginning of a
// line waits for the line's end: until then nobody can use it, and if the end
// never comes it would spoil the last words.
type events struct {
	io.ReadCloser
	mustBeDone bool                   // an end without [DONE] is no end
	last       func(err error) []byte // words to send when the stream breaks off

	buffer  []byte
	held    int    // bytes at the buffer's start that begin a line
	ready   []byte // what may be passed on
	midLine bool   // the last part passed on does not end a line
	done    bool   // [DONE] was passed on
	err     error  // what ends the stream
}

// Read passes on whole lines.
func (e *events) Read(part []byte) (int, error) {
	for len(e.ready) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		e.fill()
	}
	n := copy(part, e.ready)
	e.ready = e.ready[n:]
	return n, nil
}

// fill reads once. What is ready has been passed on, so the buffer is free but
// for the line that has begun.
func (e *events) fill() {
	if e.buffer == nil {
		e.buffer = make([]byte, maxLine)
	}
	n, err := e.ReadCloser.Read(e.buffer[e.held:])
	full := e.held + n
	end := 1 + bytes.LastIndexAny(e.buffer[:full], "\r\n")
	if end == 0 && full == len(e.buffer) {
		end = full
	}
	if err != nil {
		e.finish(err, full, end)
		return
	}
	e.pass(end)
	e.hold(end, full)
}

// hold keeps the line that has begun. What is ready must not be overwritten, so
// the line moves only when nothing is; else the buffer is changed.
func (e *events) hold(end, full int) {
	rest := e.buffer[end:full]
	if len(rest) > 0 && end > 0 {
		fresh := make([]byte, maxLine)
		copy(fresh, rest)
		e.buffer = fresh
	}
	e.held = len(rest)
}

// pass makes the buffer up to end ready.
func (e *events) pass(end int) {
	if end == 0 {
		return
	}
	e.ready = e.buffer[:end]
	const done = "data: [DONE]"
	e.done = e.done || !e.midLine && bytes.HasPrefix(e.ready, []byte(done)) || bytes.Contains(e.ready, []byte("\n"+done))
	e.midLine = e.ready[end-1] != '\n' && e.ready[end-1] != '\r'
}

// finish ends the stream: as the replica did if that was the end, and else with
// the last words. After [DONE] nothing was lost.
func (e *events) finish(err error, full, end int) {
	e.err = io.EOF
	if errors.Is(err, io.EOF) {
		e.pass(full)
		if e.done || !e.mustBeDone {
			return
		}
		err = io.ErrUnexpectedEOF
		end = 1 + bytes.LastIndexAny(e.buffer[:full], "\r\n")
	}
	e.ready = nil
	e.pass(end)
	if e.done {
		return
	}
	words := e.last(err)
	if words == nil {
		e.err = err
	}
	e.ready = append(bytes.Clone(e.ready), words...)
}

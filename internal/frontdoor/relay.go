// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

// errIdle is why a replica that paused for too long was given up.
var errIdle = errors.New("the replica sent nothing for too long")

// relay is one request's way to a replica and its answer's way back. It is the
// transport and the hooks of a ReverseProxy, which knows the rules of HTTP for
// what stands between a client and a server.
type relay struct {
	*visit
	body    []byte
	replica *replica // that has the request
	context context.Context
	cancel  context.CancelCauseFunc
	// brokenOff: the stream ended in last words.
	brokenOff bool
}

func (v *visit) relay(body []byte) {
	ctx, cancel := context.WithCancelCause(v.request.Context())
	defer cancel(nil)
	x := &relay{visit: v, body: body, context: ctx, cancel: cancel}
	defer x.release()
	defer v.outstanding().Dec()
	v.request.Header.Del("Upgrade") // a request ends with its answer
	proxy := httputil.ReverseProxy{
		Rewrite:        x.rewrite,
		Transport:      x,
		ModifyResponse: x.receive,
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { x.fail(x.explain(err)) },
		BufferPool:     x.door,
		ErrorLog:       log.New(io.Discard, "", 0), // what it would say is counted and told to the client
	}
	// An answer that breaks off ends in a panic, which cuts the connection.
	v.broken = true
	proxy.ServeHTTP(v.answer, v.request.WithContext(ctx))
	v.broken = x.brokenOff
}

// outstanding counts the request as one that a replica is answering, until the
// caller takes it off.
func (v *visit) outstanding() (gauge prometheus.Gauge) {
	v.door.table.count(v.model, func(model types.NamespacedName) {
		gauge = v.door.metrics.outstanding.WithLabelValues(label(model))
		gauge.Inc()
	})
	return gauge
}

// notForReplicas are headers of the client that concern the front door alone.
// Without Accept-Encoding replicas do not compress, so that a stream can be
// read on its way.
func notForReplicas() []string {
	return []string{"Authorization", "X-Api-Key", "Cookie", "Accept-Encoding", "Expect"}
}

// replayMarks are headers by which net/http takes a POST for one that may be
// sent again when its connection breaks. A replica may have begun it, and reads
// them in lower case too, which net/http does not.
func replayMarks() []string { return []string{"Idempotency-Key", "X-Idempotency-Key"} }

func (x *relay) rewrite(p *httputil.ProxyRequest) {
	for _, name := range notForReplicas() {
		p.Out.Header.Del(name)
	}
	for _, name := range replayMarks() {
		if values, sent := p.Out.Header[name]; sent {
			delete(p.Out.Header, name)
			p.Out.Header[strings.ToLower(name)] = values
		}
	}
	p.Out.Header.Set(headerRequestID, x.id)
	p.Out.URL.Scheme, p.Out.Host = "http", ""
	p.Out.ContentLength, p.Out.TransferEncoding = int64(len(x.body)), nil
}

// RoundTrip sends the request to the replica with the least to do, and to
// another if it cannot be connected to.
func (x *relay) RoundTrip(out *http.Request) (*http.Response, error) {
	for tried := []*replica(nil); ; {
		if err := x.choose(tried); err != nil {
			return nil, err
		}
		response, err := x.door.upstream.RoundTrip(x.attempt(out))
		if err == nil || !isDial(err) || out.Context().Err() != nil {
			return response, err
		}
		x.replica.failed.Store(time.Now().UnixNano())
		tried = append(tried, x.replica)
		x.release()
	}
}

// choose asks the table each time: replicas come and go.
func (x *relay) choose(tried []*replica) error {
	found, exists := x.door.table.find(x.model)
	if !exists {
		return noSuchModel(x.model.String(), "")
	}
	if x.replica = found.choose(tried, time.Now()); x.replica != nil {
		return nil
	}
	if len(tried) > 0 {
		return unavailable(time.Second, "no replica of model %q can be reached; they may be changing, try again", x.model.Name)
	}
	return noReplica(found.model, x.model.Name)
}

func (x *relay) release() {
	if x.replica != nil {
		x.replica.outstanding.Add(-1)
		x.replica = nil
	}
}

// attempt is the request for one replica. GetBody lets net/http take another
// connection if not a byte of the request could be written to the first.
func (x *relay) attempt(out *http.Request) *http.Request {
	attempt := out.WithContext(out.Context())
	url := *out.URL
	url.Host = x.replica.address
	attempt.URL = &url
	attempt.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(x.body)), nil }
	attempt.Body = io.NopCloser(bytes.NewReader(x.body))
	return attempt
}

// isDial: nothing of the request was sent.
func isDial(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}

// originWide are headers by which a replica would speak for the whole front
// door.
func originWide() []string {
	return []string{"Set-Cookie", "Alt-Svc", "Strict-Transport-Security", "Clear-Site-Data"}
}

// receive prepares a replica's answer for the way back.
func (x *relay) receive(response *http.Response) error {
	x.door.table.count(x.model, func(model types.NamespacedName) { x.door.metrics.answered(model, time.Since(x.started)) })
	for _, name := range originWide() {
		response.Header.Del(name)
	}
	x.answer.Header().Del(headerRequestID)
	response.Header.Set(headerRequestID, x.id)
	response.Body = x.patient(response.Body)
	if response.Header.Get("Content-Encoding") != "" {
		return nil
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch kind {
	case "text/event-stream":
		x.receiveEvents(response)
	case "application/json":
		return whole(response)
	}
	return nil
}

// explain turns an error on the way into what the client is told.
func (x *relay) explain(err error) error {
	var f *failure
	var network net.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, errIdle), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return tooSlow("a replica of model %q took too long to answer; ask for less at a time, or stream", x.model.Name)
	}
	return badGateway("a replica of model %q ended before its answer did; it may have crashed, try again", x.model.Name)
}

// patient gives a replica up when it pauses for too long while the client waits.
func (x *relay) patient(body io.ReadCloser) io.ReadCloser {
	timer := time.AfterFunc(x.door.options.Idle, func() { x.cancel(errIdle) })
	timer.Stop()
	return &patientBody{body, x, timer}
}

type patientBody struct {
	io.ReadCloser
	relay *relay
	timer *time.Timer
}

func (p *patientBody) Read(part []byte) (int, error) {
	p.timer.Reset(p.relay.door.options.Idle)
	n, err := p.ReadCloser.Read(part)
	p.timer.Stop()
	if cause := context.Cause(p.relay.context); err != nil && errors.Is(cause, errIdle) {
		err = cause
	}
	return n, err
}

const copySize = 32 << 10

// Get and Put lend the ReverseProxy its buffers.
func (d *Door) Get() []byte {
	if buffer, is := d.copies.Get().(*[copySize]byte); is {
		return buffer[:]
	}
	return new([copySize]byte)[:]
}

// Put takes a buffer back.
func (d *Door) Put(buffer []byte) { d.copies.Put((*[copySize]byte)(buffer)) }

// endsWithDone says whether streams of a path end with the event [DONE].
func endsWithDone(path string) bool { return strings.HasSuffix(path, "/completions") }

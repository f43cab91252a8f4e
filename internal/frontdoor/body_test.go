// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/kubetest"
)

// dial sends text and returns the connection, on which nothing takes longer than the
// test's patience.
func (w *world) dial(t *testing.T, text string) *net.TCPConn {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	connection.SetDeadline(time.Now().Add(kubetest.Patience))
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	return connection.(*net.TCPConn)
}

// answerOn reads the answer to the only request on a connection.
func answerOn(t *testing.T, connection *net.TCPConn) *http.Response {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// TestBodyDoesNotCome: who announces a body and sends none of it, or not all, is
// answered and rid of, whatever the answer is.
func TestBodyDoesNotCome(t *testing.T) {
	key := "Authorization: Bearer " + goodKey + "\r\n"
	for _, c := range []struct {
		name, request, header, body string
		status                      int
		code                        string // of an error
	}{
		{"nothing", "POST " + completions, key + "Content-Length: 1000", "", 408, "request_timeout"},
		{"a part", "POST " + completions, key + "Content-Length: 1000", "{", 408, "request_timeout"},
		{"half a chunk", "POST " + completions, key + "Transfer-Encoding: chunked", "10\r\n{", 408, "request_timeout"},
		{"without a key", "POST " + completions, "Content-Length: 1000", "", 401, "invalid_api_key"},
		{"compressed", "POST " + completions, key + "Content-Encoding: gzip\r\nContent-Length: 1000", "", 415, "unsupported_encoding"},
		{"nowhere", "POST /", "Content-Length: 1000", "", 404, "unknown_url"},
		{"where none is read", "GET /healthz", "Content-Length: 1000", "", 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, Options{Upload: 20 * time.Millisecond})
			connection := w.dial(t, c.request+" HTTP/1.1\r\nHost: x\r\n"+c.header+"\r\n\r\n"+c.body)
			response := answerOn(t, connection)
			if response.StatusCode != c.status || !response.Close {
				t.Errorf("got %d, want %d; close: %v", response.StatusCode, c.status, response.Close)
			}
			if c.code != "" {
				wantError(t, response, c.status, c.code)
			}
			if _, err := io.Copy(io.Discard, connection); err != nil {
				t.Errorf("the connection stays: %v", err)
			}
			if c.status == 408 {
				w.wantEnded(t, types.NamespacedName{}, 408)
			}
		})
	}
}

// TestPausesAfterABody: a client may pause after its body for as long as the
// replica takes.
func TestPausesAfterABody(t *testing.T) {
	const upload = 20 * time.Millisecond
	w := newWorld(t, Options{Upload: upload})
	w.model("team", "tiny", newEngine(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(10 * upload):
		case <-r.Context().Done():
			t.Error("the front door left")
		}
	}))
	text(t, w.ask(t, "POST", completions, chatWith("tiny")))
	w.wantEnded(t, tiny, 200)
}

// TestClientClosesItsSide: it is told, and not with an empty answer of status
// 200.
func TestClientClosesItsSide(t *testing.T) {
	for name, length := range map[string]int{"within its body": 100, "after it": len(chatWith("tiny"))} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.model("team", "tiny", newEngine(t, func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
			}))
			connection := w.dial(t, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
				completions, goodKey, length, chatWith("tiny")))
			if err := connection.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			wantError(t, answerOn(t, connection), 400, "client_closed_request")
		})
	}
}

// TestBodiesAreBounded: what would not fit is refused, and there is room again
// when a request has ended.
func TestBodiesAreBounded(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	w := newWorld(t, Options{MaxBody: 1000, MaxBodies: 1500})
	w.model("team", "tiny", newEngine(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		held <- struct{}{}
		<-release
	}))
	large := `{"model":"tiny","prompt":"` + strings.Repeat("x", 900) + `"}`
	for _, length := range []int64{int64(len(large)), -1} {
		first := w.ask(t, "POST", completions, large)
		<-held
		refused := w.ask(t, "POST", completions, large, func(r *http.Request) { r.ContentLength = length })
		wantError(t, refused, 503, "service_unavailable")
		if refused.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		release <- struct{}{}
		text(t, first)
		<-w.ended
		<-w.ended
	}
	last := w.ask(t, "POST", completions, large)
	<-held
	release <- struct{}{}
	text(t, last)
}

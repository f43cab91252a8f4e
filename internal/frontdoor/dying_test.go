// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dying sends a part of an answer, exactly as given, and cuts the connection.
func dying(t testing.TB, part string) *httptest.Server {
	return newEngine(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer connection.Close()
		buffered.WriteString(part)
		buffered.Flush()
	})
}

func TestReplicaDies(t *testing.T) {
	const (
		stream  = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
		chunked = stream + "Transfer-Encoding: chunked\r\n\r\n"
		plain   = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		died    = `data: {"error":{"message":"a replica of model \"tiny\" ended before its answer did; it may have crashed, try again","type":"server_error","param":null,"code":"replica_failed"}}` +
			"\n\ndata: [DONE]\n\n"
	)
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	for _, c := range []struct {
		name, path, sent string
		want             string // of a stream; else an error is wanted
		counted          int
	}{
		{"before anything", completions, "", "", 502},
		{"in the header", completions, plain, "", 502},
		{"in an answer with a length", completions, plain + "Content-Length: 100\r\n\r\n{\"choices\":[", "", 502},
		{"in an answer of chunks", completions, plain + "Transfer-Encoding: chunked\r\n\r\n" + chunk(`{"choices":[`), "", 502},
		{"no HTTP at all", completions, "SSH-2.0-OpenSSH\r\n", "", 502},
		{"upgrade that nobody asked for", completions, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "", 502},
		{"stream, before an event", completions, chunked, "\n\n" + died, 502},
		{"stream, between events", completions, chunked + chunk("data: {}\n\n"), "data: {}\n\n\n\n" + died, 502},
		{"stream, in an event", completions, chunked + chunk("data: {}\n\n") + chunk("data: {\"cho"), "data: {}\n\n\n\n" + died, 502},
		{"stream, in a chunk", completions, chunked + "ff\r\ndata: {}\r\n\r\ndata: {", "data: {}\r\n\r\n\n\n" + died, 502},
		{"stream with a length", completions, stream + "Content-Length: 100\r\n\r\ndata: {}\n\n", "data: {}\n\n\n\n" + died, 502},
		{"stream after DONE", completions, chunked + chunk("data: {}\n\ndata: [DONE]\n\n"), "data: {}\n\ndata: [DONE]\n\n", 200},
		{"stream that ends with its connection", completions, stream + "\r\ndata: {}\n\ndata: [DONE]\n\n", "data: {}\n\ndata: [DONE]\n\n", 200},
		{"DONE within an event", completions, stream + "\r\ndata: {\"x\":\"data: [DONE]\"}\n\n", "data: {\"x\":\"data: [DONE]\"}\n\n\n\n" + died, 502},
		{"stream that breaks off with its connection", completions, stream + "\r\ndata: {}\n\ndata: {", "data: {}\n\n\n\n" + died, 502},
		{"stream without DONE", "/v1/responses", stream + "\r\nevent: response.completed\ndata: {}\n\n", "event: response.completed\ndata: {}\n\n", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.model("team", "tiny", dying(t, c.sent))
			response := w.ask(t, "POST", c.path, chatWith("tiny"))
			if c.want == "" {
				wantError(t, response, c.counted, "replica_failed")
			} else if diff := cmp.Diff(c.want, text(t, response)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			w.wantEnded(t, tiny, c.counted)
		})
	}
}

// TestCutOff: what cannot be said in words any more is a connection cut off.
func TestCutOff(t *testing.T) {
	for name, part := range map[string]string{
		"binary":     "HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 100\r\n\r\nRIFF",
		"large JSON": "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n" + strings.Repeat("1", 2<<20),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.model("team", "tiny", dying(t, part))
			response, err := w.try(t.Context(), "POST", completions, chatWith("tiny"))
			if err == nil {
				_, err = io.ReadAll(response.Body)
				response.Body.Close()
			}
			if err == nil {
				t.Error("the answer seems whole")
			}
			w.wantEnded(t, tiny, 502)
		})
	}
}

func TestTooSlow(t *testing.T) {
	stuck := func(begin string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if begin != "" {
				w.Header().Set("Content-Type", begin)
				io.WriteString(w, "data: {}\n\n")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		}
	}
	soon := Options{FirstByte: 20 * time.Millisecond, Idle: 20 * time.Millisecond}
	for _, c := range []struct{ name, begin string }{{"first byte", ""}, {"within the answer", "application/json"}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, soon)
			w.model("team", "tiny", newEngine(t, stuck(c.begin)))
			wantError(t, w.ask(t, "POST", completions, chatWith("tiny")), 504, "replica_timeout")
		})
	}
	t.Run("within a stream", func(t *testing.T) {
		w := newWorld(t, soon)
		w.model("team", "tiny", newEngine(t, stuck("text/event-stream")))
		got := text(t, w.ask(t, "POST", completions, chatWith("tiny")))
		if !strings.HasPrefix(got, "data: {}\n\n\n\ndata: {\"error\"") || !strings.HasSuffix(got, "data: [DONE]\n\n") || !strings.Contains(got, "replica_timeout") {
			t.Errorf("got %q", got)
		}
	})
}

func TestInformationalHeadersAreNotPassedOn(t *testing.T) {
	w := newWorld(t, Options{})
	w.model("team", "tiny", dying(t, "HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=b\r\nLink: </x>\r\n\r\n"+
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"))
	response := w.ask(t, "POST", completions, chatWith("tiny"))
	if got := text(t, response); got != "{}" || response.Header.Get("Set-Cookie") != "" || response.Header.Get(headerRequestID) == "" {
		t.Errorf("got %s, %v", got, response.Header)
	}
}

func TestHostileHeaders(t *testing.T) {
	for name, header := range map[string]string{
		"endless":          "X-A: " + strings.Repeat("a", 1<<20) + "\r\n",
		"many":             strings.Repeat("X-A: a\r\n", 1<<17),
		"two lengths":      "Content-Length: 2\r\nContent-Length: 5\r\n",
		"negative length":  "Content-Length: -2\r\n",
		"line without end": "X-A",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.model("team", "tiny", dying(t, "HTTP/1.1 200 OK\r\n"+header+"\r\n{}"))
			wantError(t, w.ask(t, "POST", completions, chatWith("tiny")), 502, "replica_failed")
		})
	}
}

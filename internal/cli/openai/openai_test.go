// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
)

// ask sends a request to a server that answers with the given status, type and
// body, and returns what was said, the error's words, and what was sent.
func ask(t *testing.T, r Request, status int, kind, body string) (said, problem string, path string, sent map[string]any) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		if r.Header.Get("Authorization") != "Bearer key" {
			t.Errorf("authorization is %q", r.Header.Get("Authorization"))
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	err := Endpoint{URL: server.URL + "/v1/", Key: "key", HTTP: server.Client()}.Stream(t.Context(), r, func(s string) error {
		said += s
		return nil
	})
	if err != nil {
		problem = err.Error()
	}
	return said, problem, path, sent
}

func TestRequests(t *testing.T) {
	const done = "data: [DONE]\n\n"
	for _, c := range []struct {
		name, path string
		request    Request
		want       map[string]any
	}{
		{"chat", "/v1/chat/completions", Request{Model: "tiny", Messages: []Message{{"user", "hi"}}},
			map[string]any{"model": "tiny", "stream": true, "messages": []any{map[string]any{"role": "user", "content": "hi"}}}},
		{"completion", "/v1/completions", Request{Model: "tiny", Prompt: "hi", MaxTokens: 5, Temperature: ptr.To(0.0)},
			map[string]any{"model": "tiny", "stream": true, "prompt": "hi", "max_tokens": 5.0, "temperature": 0.0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problem, path, sent := ask(t, c.request, 200, "text/event-stream", done)
			if problem != "" || path != c.path {
				t.Errorf("%s, %s", path, problem)
			}
			if diff := cmp.Diff(c.want, sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	const stream = "text/event-stream; charset=utf-8"
	for _, c := range []struct {
		name          string
		status        int
		kind, body    string
		said, problem string
	}{
		{"chat", 200, stream, ": wait\n\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n" +
			"data: {\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\r\n\r\n" +
			"data: {\"choices\":null,\"usage\":{}}\n\ndata: [DONE]\n\n", "hello", ""},
		{"completion", 200, stream, "data:{\"choices\":[{\"text\":\"hello\"}]}\n\ndata: [DONE]", "hello", ""},
		{"not streamed", 200, "application/json", `{"object":"chat.completion","choices":[{"message":{"content":"hello"}}]}`, "hello", ""},
		{"cut off", 200, stream, "data: {\"choices\":[{\"text\":\"hel\"}]}\n\n", "hel", "the answer was cut off: the replica may have gone; ask again"},
		{"an error on the way", 200, stream, "data: {\"choices\":[{\"text\":\"hel\"}]}\n\ndata: {\"error\":{\"message\":\"out of\\nmemory\",\"code\":500}}\n\ndata: [DONE]\n\n",
			"hel", "the answer broke off: out of memory"},
		{"an error with status 200", 200, "application/json", `{"error":"no"}`, "", "the endpoint answered: no"},
		{"refused", 403, "application/json", `{"error":{"message":"this key may not use tiny","type":"permission_error","code":"forbidden"}}`,
			"", "the endpoint answered 403 Forbidden: this key may not use tiny (forbidden)"},
		{"refused in the old form", 400, "application/json", `{"object":"error","message":"too long","code":400}`, "", "the endpoint answered 400 Bad Request: too long"},
		{"refused without words", 503, "application/json", `{"error":{}}`, "", "the endpoint answered 503 Service Unavailable: an error without words"},
		{"refused by something else", 502, "text/html", "<html>\n  bad gateway\n</html>", "", "the endpoint answered 502 Bad Gateway: <html> bad gateway </html>"},
		{"not JSON", 200, stream, "data: {\n\n", "", "reading the answer: unexpected end of JSON input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, problem, _, _ := ask(t, Request{Model: "tiny", Prompt: "hi"}, c.status, c.kind, c.body)
			if said != c.said || problem != c.problem {
				t.Errorf("said %q, %q\nwant %q, %q", said, problem, c.said, c.problem)
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	err := Endpoint{URL: server.URL + "/v1", HTTP: http.DefaultClient}.Stream(t.Context(), Request{}, nil)
	if err == nil || !strings.Contains(err.Error(), "the endpoint "+server.URL+"/v1 does not answer: ") || strings.Contains(err.Error(), "Post") {
		t.Errorf("got %v", err)
	}
}

// FuzzReadStream: any bytes give text or one line of error, and never hang.
func FuzzReadStream(f *testing.F) {
	f.Add([]byte("data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n"))
	f.Add([]byte("data: {\"error\":{\"message\":\"a\\nb\"}}"))
	f.Add([]byte(": comment\nevent: x\ndata:\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		err := readStream(strings.NewReader(string(body)), func(s string) error {
			if s == "" || !utf8.ValidString(s) {
				return io.ErrUnexpectedEOF
			}
			return nil
		})
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("more than one line: %q", err)
		}
	})
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func answering(t testing.TB, answer string) *httptest.Server {
	return newEngine(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer)
	})
}

// nobody is an address at which nothing listens.
func nobody(testing.TB) *httptest.Server {
	engine := httptest.NewServer(http.NotFoundHandler())
	engine.Close()
	return engine
}

// wantEnded waits for the only request to end and checks what it was counted as.
func (w *world) wantEnded(t *testing.T, model types.NamespacedName, code int) {
	t.Helper()
	<-w.ended
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "slipway_frontdoor_requests_total" {
			continue
		}
		metric := family.GetMetric()[0]
		got := map[string]string{}
		for _, pair := range metric.GetLabel() {
			got[pair.GetName()] = pair.GetValue()
		}
		want := map[string]string{"model": label(model), "code": codeLabel(code)}
		if diff := cmp.Diff(want, got); diff != "" || metric.GetCounter().GetValue() != 1 {
			t.Errorf("counted %v times (-want +got):\n%s", metric.GetCounter().GetValue(), diff)
		}
		return
	}
	t.Error("no request was counted")
}

var tiny = types.NamespacedName{Namespace: "team", Name: "tiny"}

func TestWhatTheReplicaSees(t *testing.T) {
	for _, c := range []struct {
		name, path, body string
		want             string // body at the replica
	}{
		{"bare name, body as it was", completions, ` {"model": "tiny", "seed":12345678901234567890, "x":1.50}`, ` {"model": "tiny", "seed":12345678901234567890, "x":1.50}`},
		{"namespace before the name", completions, `{"messages":[{"model":"team/tiny"}],"model":"team/tiny","n":1}`, `{"messages":[{"model":"team/tiny"}],"model":"tiny"     ,"n":1}`},
		{"escaped", "/v1/embeddings", `{"model":"team\/tiny"}`, `{"model":"tiny"      }`},
		{"any path below /v1", "/v1/audio/speech?x=1", `{"model":"tiny"}`, `{"model":"tiny"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got *http.Request
			var body []byte
			w := newWorld(t, Options{})
			w.model("team", "tiny", newEngine(t, func(_ http.ResponseWriter, r *http.Request) {
				got = r
				body, _ = io.ReadAll(r.Body)
			}))
			text(t, w.ask(t, "POST", c.path, c.body, func(r *http.Request) {
				for _, name := range []string{"X-Api-Key", "Cookie", "Proxy-Authorization", "X-Hop", "X-Forwarded-For", "Upgrade"} {
					r.Header.Set(name, "secret")
				}
				r.Header.Set("Connection", "X-Hop, Upgrade")
				r.Header.Set("X-Custom", "kept")
				r.Header.Set(headerRequestID, "req-1")
			}))
			if diff := cmp.Diff(c.want, string(body)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if got.RequestURI != c.path || got.Header.Get("X-Custom") != "kept" || got.Header.Get(headerRequestID) != "req-1" ||
				got.ContentLength != int64(len(c.want)) {
				t.Errorf("got %s, length %d, %v", got.RequestURI, got.ContentLength, got.Header)
			}
			for _, name := range []string{"Authorization", "X-Api-Key", "Cookie", "Proxy-Authorization", "X-Hop", "X-Forwarded-For", "Upgrade", "Accept-Encoding"} {
				if got.Header.Get(name) != "" {
					t.Errorf("the replica saw %s: %s", name, got.Header.Get(name))
				}
			}
		})
	}
}

func TestLargeBodyInChunks(t *testing.T) {
	w := newWorld(t, Options{})
	w.model("team", "tiny", newEngine(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	body := `{"prompt":"` + strings.Repeat(`line\n`, 1<<20) + `","model":"team/tiny"}`
	got := text(t, w.ask(t, "POST", completions, body, func(r *http.Request) { r.ContentLength = -1 }))
	if want := strings.Replace(body, `"team/tiny"`, `"tiny"     `, 1); got != want {
		t.Errorf("%d bytes came back as %d others", len(body), len(got))
	}
}

func TestAnswerIsPassedOn(t *testing.T) {
	w := newWorld(t, Options{})
	w.model("team", "tiny", newEngine(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Engine", "e")
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Strict-Transport-Security", "max-age=1")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.Header().Set(headerRequestID, "the engine's")
		w.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(w, `{"detail":"its own words"}`)
	}))
	response := w.ask(t, "POST", completions, chatWith("tiny"), with(headerRequestID, "req-1"))
	if got := text(t, response); response.StatusCode != 422 || got != `{"detail":"its own words"}` {
		t.Errorf("got %d %s", response.StatusCode, got)
	}
	for name, want := range map[string]string{"X-Engine": "e", "Set-Cookie": "", "Strict-Transport-Security": "", "Keep-Alive": "", headerRequestID: "req-1"} {
		if got := strings.Join(response.Header.Values(name), ","); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	w.wantEnded(t, tiny, 422)
}

// TestHugeAnswer: an answer of any size passes, without being held.
func TestHugeAnswer(t *testing.T) {
	const size = 20 << 20
	for _, kind := range []string{"application/json", "audio/wav", "text/event-stream"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.model("team", "tiny", newEngine(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				io.CopyN(w, endless{}, size)
			}))
			n, err := io.Copy(io.Discard, w.ask(t, "POST", completions, chatWith("tiny")).Body)
			if n != size || err != nil {
				t.Errorf("got %d bytes, %v", n, err)
			}
		})
	}
}

type endless struct{}

func (endless) Read(part []byte) (int, error) {
	for i := range part {
		part[i] = 'x'
	}
	return len(part), nil
}

// TestStreamIsNotHeld: each event arrives before the next is made.
func TestStreamIsNotHeld(t *testing.T) {
	received := make(chan struct{})
	w := newWorld(t, Options{})
	w.model("team", "tiny", newEngine(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		w.(http.Flusher).Flush()
		for i := range 3 {
			<-received
			fmt.Fprintf(w, "data: {\"n\":%d}\n\n", i)
			w.(http.Flusher).Flush()
		}
		<-received
		io.WriteString(w, "data: [DONE]\n\n")
	}))
	response := w.ask(t, "POST", completions, `{"model":"tiny","stream":true}`) // the header comes first
	reader := bufio.NewReader(response.Body)
	for i := range 3 {
		received <- struct{}{}
		line, err := reader.ReadString('\n')
		if _, blank := reader.ReadString('\n'); err != nil || blank != nil || line != fmt.Sprintf("data: {\"n\":%d}\n", i) {
			t.Fatalf("event %d: got %q, %v", i, line, err)
		}
	}
	received <- struct{}{}
	if rest, err := io.ReadAll(reader); err != nil || string(rest) != "data: [DONE]\n\n" {
		t.Errorf("got %q, %v", rest, err)
	}
	w.wantEnded(t, tiny, 200)
}

// TestClientLeaves: the replica is told, before and within an answer.
func TestClientLeaves(t *testing.T) {
	for _, begun := range []bool{false, true} {
		t.Run(fmt.Sprintf("begun=%v", begun), func(t *testing.T) {
			asked, told := make(chan struct{}), make(chan struct{})
			w := newWorld(t, Options{})
			w.model("team", "tiny", newEngine(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if begun {
					w.Header().Set("Content-Type", "text/event-stream")
					w.(http.Flusher).Flush()
				}
				close(asked)
				<-r.Context().Done()
				close(told)
			}))
			ctx, leave := context.WithCancel(t.Context())
			var group sync.WaitGroup
			group.Go(func() {
				response, err := w.try(ctx, "POST", completions, chatWith("tiny"))
				if err == nil {
					_, err = io.ReadAll(response.Body)
					response.Body.Close()
				}
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
			<-asked
			leave()
			<-told
			group.Wait()
			w.wantEnded(t, tiny, clientGone)
		})
	}
}

func TestAnotherReplica(t *testing.T) {
	w := newWorld(t, Options{})
	w.model("team", "tiny", nobody(t), answering(t, "{}"), nobody(t))
	for range 5 {
		if got := text(t, w.ask(t, "POST", completions, chatWith("tiny"))); got != "{}" {
			t.Errorf("got %s", got)
		}
	}
	found, _ := w.door.table.find(tiny)
	for _, r := range found.replicas {
		if n := r.outstanding.Load(); n != 0 {
			t.Errorf("%s: %d requests are still counted", r.address, n)
		}
	}
	w.model("team", "tiny", nobody(t), nobody(t))
	response := w.ask(t, "POST", completions, chatWith("tiny"))
	wantError(t, response, 503, "service_unavailable")
	if response.Header.Get("Retry-After") != "1" {
		t.Errorf("got %v", response.Header)
	}
}

// TestNotTwice: what a replica may have begun is not sent to another.
func TestNotTwice(t *testing.T) {
	var asked atomic.Int32
	crash := func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		connection, _, _ := w.(http.Hijacker).Hijack()
		connection.Close()
	}
	w := newWorld(t, Options{})
	w.model("team", "tiny", newEngine(t, crash), newEngine(t, crash))
	wantError(t, w.ask(t, "POST", completions, chatWith("tiny")), 502, "replica_failed")
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestNotTwiceOverAReusedConnection: a client that marks its request as one that
// may be repeated does not make net/http repeat it.
func TestNotTwiceOverAReusedConnection(t *testing.T) {
	for _, mark := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		t.Run(mark, func(t *testing.T) {
			var asked atomic.Int32
			var seen atomic.Value
			w := newWorld(t, Options{})
			w.model("team", "tiny", newEngine(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if asked.Add(1) == 1 {
					return // and keeps the connection
				}
				seen.Store(r.Header.Get(mark))
				connection, _, _ := w.(http.Hijacker).Hijack()
				connection.Close()
			}))
			text(t, w.ask(t, "POST", completions, chatWith("tiny")))
			wantError(t, w.ask(t, "POST", completions, chatWith("tiny"), with(mark, "k1")), 502, "replica_failed")
			if n := asked.Load(); n != 2 || seen.Load() != "k1" {
				t.Errorf("asked %d times, want 2; the replica saw %q", n, seen.Load())
			}
		})
	}
}

// TestDeletedWhileItAnswers: a request that outlives its Model does not bring
// back the Model's name, which nobody would forget again.
func TestDeletedWhileItAnswers(t *testing.T) {
	deleted := make(chan struct{})
	w := newWorld(t, Options{})
	w.model("team", "tiny", newEngine(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-deleted
	}))
	w.door.upstream = before{w.door.upstream, func() {
		w.door.seeModel(&slipwayv1.Model{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "tiny"}}, true)
		close(deleted)
	}}
	text(t, w.ask(t, "POST", completions, chatWith("tiny")))
	w.wantEnded(t, types.NamespacedName{}, 200)
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, pair := range metric.GetLabel() {
				if pair.GetValue() == label(tiny) {
					t.Errorf("%s names %s", family.GetName(), label(tiny))
				}
			}
		}
	}
}

// before does something before each request to a replica.
type before struct {
	http.RoundTripper
	do func()
}

func (b before) RoundTrip(r *http.Request) (*http.Response, error) {
	b.do()
	return b.RoundTripper.RoundTrip(r)
}

func TestLeastOutstanding(t *testing.T) {
	release := make(chan struct{})
	busy := make(chan struct{}, 10)
	engines := make([]*httptest.Server, 2)
	counts := make([]int, 2)
	var mu sync.Mutex
	for i := range engines {
		engines[i] = newEngine(t, func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			counts[i]++
			mu.Unlock()
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			busy <- struct{}{}
			<-release
		})
	}
	w := newWorld(t, Options{})
	w.model("team", "tiny", engines...)
	for range 6 { // each is under way when the next comes
		w.ask(t, "POST", completions, chatWith("tiny"))
		<-busy
	}
	close(release)
	if counts[0] != 3 || counts[1] != 3 {
		t.Errorf("got %v", counts)
	}
}

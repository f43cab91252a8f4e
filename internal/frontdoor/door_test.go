// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// chatWith is the smallest request for a model.
func chatWith(model string) string { return `{"model":"` + model + `","messages":[]}` }

func TestFailures(t *testing.T) {
	w := newWorld(t, Options{MaxBody: 1000})
	w.grants[w.users[otherKey]] = []string{"elsewhere/mine"}
	for _, name := range []string{"team/tiny", "other/big", "elsewhere/mine", "elsewhere/yours"} {
		namespace, name, _ := strings.Cut(name, "/")
		w.model(namespace, name)
	}
	other := with("Authorization", "Bearer "+otherKey)
	for _, c := range []struct {
		name, method, path, body string
		change                   func(*http.Request)
		status                   int
		code                     string
		message                  string // part of it
	}{
		{"root", "GET", "/", "", nil, 404, "unknown_url", "/v1/chat/completions"},
		{"unknown path", "POST", "/v2/rerank", chatWith("tiny"), nil, 404, "unknown_url", ""},
		{"engine's own path", "POST", "/metrics", chatWith("tiny"), nil, 404, "unknown_url", ""},
		{"dots", "POST", "/v1/../metrics", chatWith("tiny"), nil, 404, "unknown_url", ""},
		{"escaped dots", "POST", "/v1/%2e%2e/metrics", chatWith("tiny"), nil, 404, "unknown_url", ""},
		{"escaped slash", "POST", "/v1/a%2f..%2f..%2fmetrics", chatWith("tiny"), nil, 404, "unknown_url", ""},
		{"empty segment", "POST", "/v1//completions", chatWith("tiny"), nil, 404, "unknown_url", ""},
		{"administration", "POST", "/v1/load_lora_adapter", chatWith("tiny"), nil, 404, "unknown_url", ""},
		{"method of chat", "GET", completions, "", nil, 405, "method_not_supported", "use POST"},
		{"method of models", "DELETE", "/v1/models/tiny", "", nil, 405, "method_not_supported", "use GET"},
		{"method of health", "POST", "/healthz", "", nil, 405, "method_not_supported", "use GET"},
		{"no key", "POST", completions, chatWith("tiny"), func(r *http.Request) { r.Header.Del("Authorization") }, 401, "invalid_api_key", "no key"},
		{"bad key", "GET", "/v1/models", "", with("Authorization", "Bearer x"), 401, "invalid_api_key", "expired"},
		{"no model", "POST", completions, `{"messages":[]}`, nil, 400, "invalid_body", `"model" is missing`},
		{"not JSON", "POST", completions, "hello", nil, 400, "invalid_body", "not a JSON object"},
		{"empty body", "POST", completions, "", nil, 400, "invalid_body", "not a JSON object"},
		{"compressed", "POST", completions, "x", with("Content-Encoding", "gzip"), 415, "unsupported_encoding", ""},
		{"too large", "POST", completions, strings.Repeat("x", 1001), nil, 413, "request_too_large", "1000 bytes"},
		{"too large in chunks", "POST", completions, strings.Repeat("x", 1001), func(r *http.Request) { r.ContentLength = -1 }, 413, "request_too_large", ""},
		{"unknown model", "POST", completions, chatWith("nope"), nil, 404, "model_not_found", "namespace team"},
		{"unknown model shown", "GET", "/v1/models/nope", "", nil, 404, "model_not_found", ""},
		{"model elsewhere, not allowed", "POST", completions, chatWith("other/big"), nil, 404, "model_not_found", ""},
		{"model at home, not allowed", "POST", completions, chatWith("yours"), other, 403, "permission_error", "verb use on models.slipway.dev in namespace elsewhere"},
		{"no replica", "POST", completions, chatWith("tiny"), nil, 503, "service_unavailable", "being set up"},
	} {
		t.Run(c.name, func(t *testing.T) {
			response := w.ask(t, c.method, c.path, c.body, func(r *http.Request) {
				if c.change != nil {
					c.change(r)
				}
			})
			if message := wantError(t, response, c.status, c.code); !strings.Contains(message, c.message) {
				t.Errorf("got %q, want %q", message, c.message)
			}
			for name, status := range map[string]int{"Allow": 405, "Retry-After": 503, "WWW-Authenticate": 401} {
				if value := response.Header.Get(name); (value != "") != (c.status == status) {
					t.Errorf("got %s: %s", name, value)
				}
			}
		})
	}
	if w.asked["team/nope"] != 0 {
		t.Error("the API server was asked about a model that does not exist")
	}
}

func TestNoReplica(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus, message string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Message: message}
	}
	ready, stalled := slipwayv1.ConditionReady, slipwayv1.ConditionStalled
	for _, c := range []struct {
		name       string
		replicas   *int32
		conditions []metav1.Condition
		want       string
		seconds    int
	}{
		{"new", nil, nil, `model "tiny" does not answer: it is being set up`, 5},
		{"starting", nil, []metav1.Condition{condition(ready, "False", "the engine loads")}, `model "tiny" does not answer: the engine loads`, 5},
		{"stalled", nil, []metav1.Condition{condition(ready, "False", "no image"), condition(stalled, "True", "no image")}, `model "tiny" does not answer: no image`, 30},
		{"stopped", ptr.To[int32](0), []metav1.Condition{condition(ready, "True", "stopped")}, `model "tiny" does not answer: stopped`, 5},
		{"between replicas", ptr.To[int32](1), []metav1.Condition{condition(ready, "True", "1 replica answers")}, `model "tiny" does not answer: its replicas are changing`, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			model := &slipwayv1.Model{Spec: slipwayv1.ModelSpec{Replicas: c.replicas}, Status: slipwayv1.ModelStatus{Conditions: c.conditions}}
			got := noReplica(model, "tiny")
			if got.message != c.want || int(got.retryAfter.Seconds()) != c.seconds || got.status != 503 {
				t.Errorf("got %d %q, %s", got.status, got.message, got.retryAfter)
			}
		})
	}
}

func TestModels(t *testing.T) {
	for _, c := range []struct {
		name   string
		grants []string
		want   []string
	}{
		{"own namespace", []string{"team/"}, []string{"big", "tiny"}},
		{"one of the own namespace", []string{"team/tiny"}, []string{"tiny"}},
		{"two namespaces", []string{"team/", "other/"}, []string{"other/tiny", "big", "tiny"}},
		{"all", []string{"/"}, []string{"other/tiny", "big", "tiny", "third/x"}},
		{"nothing", nil, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.grants[w.users[goodKey]] = c.grants
			for _, name := range []string{"team/tiny", "team/big", "other/tiny", "third/x"} {
				namespace, name, _ := strings.Cut(name, "/")
				w.model(namespace, name)
			}
			var list struct {
				Object string
				Data   []modelObject
			}
			if err := json.Unmarshal([]byte(text(t, w.ask(t, "GET", "/v1/models", ""))), &list); err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, model := range list.Data {
				got = append(got, model.ID)
			}
			if list.Object != "list" || !slices.Equal(got, c.want) {
				t.Errorf("got %s of %q, want %q", list.Object, got, c.want)
			}
		})
	}
}

// TestModelsOfSeveralNamespaces: they are asked about at the same time, though
// not all.
func TestModelsOfSeveralNamespaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reviews := &countingReviewer{slowReviewer: slowReviewer{newReviewer(), make(chan struct{})}}
		door, err := New(reviews, prometheus.NewRegistry(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 * listedAtOnce {
			model := &slipwayv1.Model{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprintf("n%d", i), Name: "tiny"}}
			door.seeModel(model, false)
		}
		request, answer := requestWith("Authorization", "Bearer "+goodKey), httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			door.ServeHTTP(answer, request)
			close(done)
		}()
		for range 2 { // the key, and whether it may use all
			reviews.release <- struct{}{}
		}
		synctest.Wait()
		if most := reviews.most.Load(); most != listedAtOnce {
			t.Errorf("%d at a time, want %d", most, listedAtOnce)
		}
		close(reviews.release)
		<-done
	})
}

func TestShowModel(t *testing.T) {
	w := newWorld(t, Options{})
	w.grants[w.users[goodKey]] = []string{"team/", "other/big"}
	w.model("team", "tiny")
	w.model("other", "big")
	for path, want := range map[string]modelObject{
		"tiny":        {"tiny", "model", 1700000000, "team"},
		"team/tiny":   {"tiny", "model", 1700000000, "team"},
		"other/big":   {"other/big", "model", 1700000000, "other"},
		"other%2Fbig": {"other/big", "model", 1700000000, "other"},
	} {
		response := w.ask(t, "GET", "/v1/models/"+path, "")
		var got modelObject
		if err := json.Unmarshal([]byte(text(t, response)), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestHealthz(t *testing.T) {
	w := newWorld(t, Options{})
	response := w.ask(t, "GET", "/healthz", "", func(r *http.Request) { r.Header.Del("Authorization") })
	if got := text(t, response); response.StatusCode != 200 || got != "ok\n" {
		t.Errorf("got %d %q", response.StatusCode, got)
	}
}

func TestRequestID(t *testing.T) {
	w := newWorld(t, Options{})
	if got := w.ask(t, "GET", "/v1/models", "", with("X-Request-Id", "req-1")).Header.Get("X-Request-Id"); got != "req-1" {
		t.Errorf("got %q, want the client's", got)
	}
	for _, bad := range []string{"", "a b", strings.Repeat("x", 129), "é"} {
		if got := w.ask(t, "GET", "/v1/models", "", with("X-Request-Id", bad)).Header.Get("X-Request-Id"); got == bad || len(got) < 20 {
			t.Errorf("for %q: got %q, want a new one", bad, got)
		}
	}
}

func TestLabelsAreBounded(t *testing.T) {
	for code, want := range map[int]string{200: "200", 503: "503", 499: "499", 799: "other", 101: "101", 555: "other"} {
		if got := codeLabel(code); got != want {
			t.Errorf("codeLabel(%d) = %s, want %s", code, got, want)
		}
	}
	if got := label(types.NamespacedName{}); got != "" {
		t.Errorf("no model is %q", got)
	}
}

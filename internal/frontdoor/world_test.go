// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// reviewer is an API server that knows some keys and grants, and counts.
type reviewer struct {
	mu        sync.Mutex
	users     map[string]string   // user name by key
	audiences []string            // what it says that keys are for
	grants    map[string][]string // "namespace/name", "namespace/" or "/" by user
	err       error
	asked     map[string]int
}

var (
	goodKey  = tokenSaying(`{"aud":["slipway.dev"],"sub":"good"}`)
	otherKey = tokenSaying(`{"aud":"slipway.dev","sub":"other"}`) // of a namespace without models
)

// tokenSaying is a token of which only the claims can be read.
func tokenSaying(claims string) string {
	return "header." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".signature"
}

func newReviewer() *reviewer {
	const user, other = "system:serviceaccount:team:ann", "system:serviceaccount:elsewhere:bob"
	return &reviewer{
		users:     map[string]string{goodKey: user, otherKey: other},
		audiences: []string{audience},
		grants:    map[string][]string{user: {"team/"}, other: {}},
		asked:     map[string]int{},
	}
}

func (r *reviewer) Create(_ context.Context, object client.Object, _ ...client.CreateOption) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch review := object.(type) {
	case *authenticationv1.TokenReview:
		r.asked["token"]++
		review.Status.User.Username, review.Status.Authenticated = r.users[review.Spec.Token], r.users[review.Spec.Token] != ""
		review.Status.Audiences = r.audiences
	case *authorizationv1.SubjectAccessReview:
		about := review.Spec.ResourceAttributes
		r.asked[about.Namespace+"/"+about.Name]++
		for _, grant := range r.grants[review.Spec.User] {
			namespace, name, _ := strings.Cut(grant, "/")
			review.Status.Allowed = review.Status.Allowed || about.Verb == "use" && about.Resource == "models" &&
				(namespace == "" || namespace == about.Namespace) && (name == "" || name == about.Name)
		}
	}
	return r.err
}

// world is a front door before engines.
type world struct {
	*reviewer
	registry *prometheus.Registry
	door     *Door
	url      string
	ended    chan struct{} // receives once for each request that has ended
}

func newWorld(t testing.TB, options Options) *world {
	t.Helper()
	w := &world{reviewer: newReviewer(), registry: prometheus.NewRegistry(), ended: make(chan struct{}, 1000)}
	var err error
	if w.door, err = New(w.reviewer, w.registry, options); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		defer func() {
			select {
			case w.ended <- struct{}{}:
			default: // nobody counts
			}
		}()
		w.door.ServeHTTP(answer, r)
	}))
	t.Cleanup(web.Close)
	w.url = web.URL
	return w
}

// model puts a Model before engines, with one replica each.
func (w *world) model(namespace, name string, engines ...*httptest.Server) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	model := &slipwayv1.Model{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: metav1.Unix(1700000000, 0)}}
	w.door.table.setModel(key, model)
	var addresses []string
	for _, e := range engines {
		addresses = append(addresses, e.Listener.Addr().String())
	}
	w.door.table.setSlice(key, "slice", addresses)
}

func newEngine(t testing.TB, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	engine := httptest.NewServer(handle)
	t.Cleanup(engine.Close)
	return engine
}

// ask sends a request with the good key and returns the response, whose body
// is closed when the test ends.
func (w *world) ask(t testing.TB, method, path, body string, change ...func(*http.Request)) *http.Response {
	t.Helper()
	response, err := w.try(t.Context(), method, path, body, change...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func (w *world) try(ctx context.Context, method, path, body string, change ...func(*http.Request)) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	for _, c := range change {
		c(request)
	}
	return http.DefaultClient.Do(request)
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func text(t testing.TB, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v (after %q)", err, body)
	}
	return string(body)
}

// wantError checks the shape that clients parse and returns the message.
func wantError(t *testing.T, response *http.Response, status int, code string) string {
	t.Helper()
	var answer struct {
		Error struct{ Message, Type, Code string }
	}
	body := text(t, response)
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("got status %d, no error but %q", response.StatusCode, body)
	}
	if response.StatusCode != status || answer.Error.Code != code || answer.Error.Type == "" || answer.Error.Message == "" {
		t.Errorf("got status %d, %s; want %d, code %s", response.StatusCode, body, status, code)
	}
	if response.Header.Get(headerRequestID) == "" {
		t.Error("no request id")
	}
	return answer.Error.Message
}

const completions = "/v1/chat/completions"

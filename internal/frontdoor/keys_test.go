// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func requestWith(header, value string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/models", nil)
	r.Header.Set(header, value)
	return r
}

// tokenUntil is a token that says when it expires.
func tokenUntil(expiry time.Time) string {
	return tokenSaying(fmt.Sprintf(`{"aud":["slipway.dev"],"exp":%d}`, expiry.Unix()))
}

func TestIdentify(t *testing.T) {
	for _, c := range []struct {
		name, header, value string
		change              func(*reviewer)
		status              int // zero if the key is good
	}{
		{"bearer", "Authorization", "Bearer " + goodKey, nil, 0},
		{"scheme in lower case", "Authorization", "bearer  " + goodKey + " ", nil, 0},
		{"Anthropic's header", "X-Api-Key", goodKey, nil, 0},
		{"no key", "X-Other", goodKey, nil, 401},
		{"another scheme", "Authorization", "Basic " + goodKey, nil, 401},
		{"empty", "Authorization", "Bearer ", nil, 401},
		{"unknown", "Authorization", "Bearer " + tokenSaying(`{"aud":["slipway.dev"]}`), nil, 401},
		{"no token", "Authorization", "Bearer bad", nil, 401},
		{"too long to be one", "Authorization", "Bearer " + strings.Repeat("x", maxKey+1), nil, 401},
		{"for another audience", "Authorization", "Bearer " + goodKey, func(r *reviewer) { r.audiences = []string{"https://kubernetes.default.svc"} }, 401},
		{"for any audience", "Authorization", "Bearer " + goodKey, func(r *reviewer) { r.audiences = nil }, 401},
		{"API server away", "Authorization", "Bearer " + goodKey, func(r *reviewer) { r.err = errors.New("refused") }, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			reviews := newReviewer()
			if c.change != nil {
				c.change(reviews)
			}
			who, err := newKeys(reviews).identify(requestWith(c.header, c.value))
			var f *failure
			switch {
			case errors.As(err, &f):
				if f.status != c.status {
					t.Errorf("got %d %s, want %d", f.status, f.message, c.status)
				}
			case c.status != 0 || who.home != "team" || !strings.HasSuffix(who.user.Username, ":ann"):
				t.Errorf("got %+v, %v, want %d", who, err, c.status)
			}
		})
	}
}

func TestHowLongKeysAreRemembered(t *testing.T) {
	for _, c := range []struct {
		name    string
		expires time.Duration // zero for a token that does not say
		good    bool
		keep    time.Duration
	}{
		// What docs/serve.md promises of a key that is revoked.
		{"good", 0, true, 10 * time.Second},
		{"good for an hour", time.Hour, true, 10 * time.Second},
		{"good for seconds", 5 * time.Second, true, 5 * time.Second},
		{"bad", 0, false, keepBad},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reviews, token := newReviewer(), tokenSaying(`{"aud":["slipway.dev"],"sub":"any"}`)
				if c.expires > 0 {
					token = tokenUntil(time.Now().Add(c.expires))
				}
				if c.good {
					reviews.users[token] = "system:serviceaccount:team:ann"
				}
				keys := newKeys(reviews)
				for _, step := range []struct {
					wait time.Duration
					want int
				}{{0, 1}, {c.keep - time.Second, 1}, {2 * time.Second, 2}} {
					<-time.After(step.wait)
					_, err := keys.identify(requestWith("Authorization", "Bearer "+token))
					if (err == nil) != c.good || reviews.asked["token"] != step.want {
						t.Errorf("after %s: got %v, asked %d times, want %d", step.wait, err, reviews.asked["token"], step.want)
					}
				}
			})
		})
	}
}

func TestExpiredIsNotRemembered(t *testing.T) {
	reviews, token := newReviewer(), tokenUntil(time.Now().Add(-time.Second))
	reviews.users[token] = "system:serviceaccount:team:ann" // the API server's clock is behind
	keys := newKeys(reviews)
	for range 2 {
		if _, err := keys.identify(requestWith("Authorization", "Bearer "+token)); err != nil {
			t.Fatal(err)
		}
	}
	if reviews.asked["token"] != 2 {
		t.Errorf("asked %d times, want 2", reviews.asked["token"])
	}
}

// TestNotWorthAsking: what no API server would take costs it nothing.
func TestNotWorthAsking(t *testing.T) {
	past := time.Now().Add(-time.Hour).Unix()
	for name, token := range map[string]string{
		"no token":             "x",
		"not base64":           "header.{}.signature",
		"not JSON":             "header.e30x.signature",
		"no audience":          tokenSaying(`{"sub":"x"}`),
		"another audience":     tokenSaying(`{"aud":"vault"}`),
		"other audiences":      tokenSaying(`{"aud":["vault","https://kubernetes.default.svc"]}`),
		"expired an hour ago":  tokenSaying(fmt.Sprintf(`{"aud":["slipway.dev"],"exp":%d}`, past)),
		"an audience of sorts": tokenSaying(`{"aud":{"slipway.dev":true}}`),
	} {
		t.Run(name, func(t *testing.T) {
			reviews := newReviewer()
			reviews.users[token] = "system:serviceaccount:team:ann"
			if _, err := newKeys(reviews).identify(requestWith("Authorization", "Bearer "+token)); err == nil {
				t.Error("it is taken")
			}
			if n := reviews.asked["token"]; n != 0 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// TestBadKeysDoNotCrowdOutGoodOnes: however many are made up.
func TestBadKeysDoNotCrowdOutGoodOnes(t *testing.T) {
	reviews := newReviewer()
	keys := newKeys(reviews)
	good := requestWith("Authorization", "Bearer "+goodKey)
	if _, err := keys.identify(good); err != nil {
		t.Fatal(err)
	}
	for i := range maxKeys + 1 {
		bad := tokenSaying(fmt.Sprintf(`{"aud":["slipway.dev"],"sub":"%d"}`, i))
		if _, err := keys.identify(requestWith("Authorization", "Bearer "+bad)); err == nil {
			t.Fatal("a bad key is taken")
		}
	}
	asked := reviews.asked["token"]
	if _, err := keys.identify(good); err != nil || reviews.asked["token"] != asked {
		t.Errorf("the good key is not remembered: %v", err)
	}
}

// TestReviewsAreBounded: many keys at a time are asked about in turn.
func TestReviewsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reviews := &countingReviewer{slowReviewer: slowReviewer{newReviewer(), make(chan struct{})}}
		keys := newKeys(reviews)
		var group sync.WaitGroup
		for i := range 3 * maxReviews {
			token := tokenSaying(fmt.Sprintf(`{"aud":["slipway.dev"],"sub":"%d"}`, i))
			group.Go(func() { keys.identify(requestWith("Authorization", "Bearer "+token)) })
		}
		synctest.Wait()
		close(reviews.release)
		group.Wait()
		if most := reviews.most.Load(); most != maxReviews || reviews.asked["token"] != 3*maxReviews {
			t.Errorf("%d at a time, want %d; %d in all", most, maxReviews, reviews.asked["token"])
		}
	})
}

// countingReviewer knows how many have asked it at a time.
type countingReviewer struct {
	slowReviewer
	now, most atomic.Int64
}

func (c *countingReviewer) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	now := c.now.Add(1)
	defer c.now.Add(-1)
	for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
	}
	return c.slowReviewer.Create(ctx, object, options...)
}

// slowReviewer answers when it is told to.
type slowReviewer struct {
	*reviewer
	release chan struct{}
}

func (s slowReviewer) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	select {
	case <-s.release:
		return s.reviewer.Create(ctx, object, options...)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reviews := slowReviewer{newReviewer(), make(chan struct{})}
		keys := newKeys(reviews)
		first, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		results := make([]error, 5)
		for i := range results {
			group.Go(func() {
				r := requestWith("Authorization", "Bearer "+goodKey)
				if i == 0 {
					r = r.WithContext(first)
				}
				_, results[i] = keys.identify(r)
			})
			synctest.Wait() // the first asks, the others join
		}
		leave()
		synctest.Wait()
		close(reviews.release)
		group.Wait()
		if results[0] == nil {
			t.Error("the first has left and yet got an answer")
		}
		for _, err := range results[1:] {
			if err != nil {
				t.Errorf("who stayed got %v", err)
			}
		}
		if reviews.asked["token"] != 1 {
			t.Errorf("asked %d times", reviews.asked["token"])
		}
	})
}

func TestAPIServerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := newKeys(slowReviewer{newReviewer(), nil}).identify(requestWith("Authorization", "Bearer "+goodKey))
		if err == nil || time.Since(began) != askTimeout {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	memory, asked := newMemory[int](2), 0
	get := func(key string) {
		t.Helper()
		if _, err := memory.get(t.Context(), key, func(context.Context) (int, time.Duration, error) {
			asked++
			return 1, time.Hour, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"a", "b", "a", "c", "a", "b"} {
		get(key)
	}
	if asked != 4 {
		t.Errorf("asked %d times, want 4: b was least recently used when c came", asked)
	}
}

func TestAccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reviews := newReviewer()
		access, who := newAccess(reviews), &identity{hash: "h", home: "team"}
		who.user.Username = reviews.users[goodKey]
		tiny, theirs := types.NamespacedName{Namespace: "team", Name: "tiny"}, types.NamespacedName{Namespace: "other", Name: "big"}
		for _, step := range []struct {
			wait  time.Duration
			model types.NamespacedName
			want  bool
			asked int
		}{
			{0, tiny, true, 1}, {keepGrant - time.Second, tiny, true, 1}, {2 * time.Second, tiny, true, 2},
			{0, theirs, false, 1}, {keepDenial - time.Second, theirs, false, 1}, {2 * time.Second, theirs, false, 2},
		} {
			<-time.After(step.wait)
			got, err := access.may(t.Context(), who, step.model)
			if err != nil || got != step.want || reviews.asked[step.model.String()] != step.asked {
				t.Errorf("%v: got %v, %v, asked %d times; want %+v", step.model, got, err, reviews.asked[step.model.String()], step)
			}
		}
		reviews.err = errors.New("refused")
		if _, err := access.may(t.Context(), who, types.NamespacedName{Namespace: "team", Name: "new"}); err == nil {
			t.Error("allowed without the API server")
		}
	})
}

func TestModelName(t *testing.T) {
	for _, c := range []struct{ id, home, want string }{
		{"tiny", "team", "team/tiny"},
		{"other/tiny", "team", "other/tiny"},
		{"team/tiny", "team", "team/tiny"},
		{"other/tiny", "", "other/tiny"},
		{"tiny", "", "/"}, {"", "team", "/"}, {"/tiny", "team", "/"}, {"team/", "team", "/"}, {"a/b/c", "team", "/"},
	} {
		if got := modelName(c.id, c.home).String(); got != c.want {
			t.Errorf("modelName(%q, %q) = %q, want %q", c.id, c.home, got, c.want)
		}
	}
}

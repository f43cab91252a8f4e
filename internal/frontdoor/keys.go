// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/util/cache"
)

const (
	// audience of the tokens that are keys. The API server takes none of them
	// for itself, so a key that leaks opens nothing else.
	audience = "slipway.dev"
	// maxKey is longer than any token that Kubernetes makes, in bytes.
	maxKey = 16 << 10
	// maxKeys are remembered, and as many bad ones apart from them: who makes up
	// keys must not crowd out those who have one.
	maxKeys = 8192
	// keepGood is how long a key that was revoked may still be accepted. The API
	// server remembers a token for ten seconds too. Its memory begins a moment
	// before ours and so ends in time for our next question, unless somebody else,
	// such as a second front door, has asked it about the same key.
	keepGood = 10 * time.Second
	// keepBad spares the API server a client that repeats a bad key.
	keepBad = 5 * time.Second
)

// identity is whose key it is.
type identity struct {
	user authenticationv1.UserInfo
	home string // the namespace of its ServiceAccount
	hash string // of the key
	good bool
}

// keys tells whose a key is.
type keys struct {
	reviews Reviewer
	known   *memory[identity]
	bad     *cache.LRUExpireCache // by hash, apart from the good
}

func newKeys(reviews Reviewer) *keys {
	return &keys{newAtMost(maxReviews, reviews), newMemory[identity](maxKeys), cache.NewLRUExpireCache(maxKeys)}
}

// identify returns whose key a request carries, or a failure.
func (k *keys) identify(r *http.Request) (*identity, error) {
	token := tokenOf(r.Header)
	if token == "" {
		return nil, badKey("no key was sent")
	}
	if len(token) > maxKey {
		return nil, badKey("the key is no token")
	}
	sum := sha256.Sum256([]byte(token))
	hash := string(sum[:])
	if _, known := k.bad.Get(hash); known {
		return nil, notValid()
	}
	who, err := k.known.get(r.Context(), hash, func(ctx context.Context) (identity, time.Duration, error) {
		return k.review(ctx, token, hash)
	})
	switch {
	case err != nil:
		return nil, unavailable(time.Second, "the key cannot be checked because the API server does not answer; try again")
	case !who.good:
		return nil, notValid()
	}
	return &who, nil
}

func notValid() *failure {
	return badKey("the key is not valid: it has expired, was revoked, or was made for another audience")
}

// tokenOf is the key that a request carries: where OpenAI's clients put it, or
// where Anthropic's do.
func tokenOf(header http.Header) string {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return header.Get("X-Api-Key")
}

// review asks the API server, if there is a point in it. A token that is good for
// something else is not good here, and an API server that ignores audiences
// names none.
func (k *keys) review(ctx context.Context, token, hash string) (identity, time.Duration, error) {
	said, is := claimsOf(token)
	if !is || said.hopeless() {
		return identity{}, 0, nil
	}
	review := &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{audience}},
	}
	if err := k.reviews.Create(ctx, review); err != nil {
		return identity{}, 0, err
	}
	if !review.Status.Authenticated || !slices.Contains(review.Status.Audiences, audience) {
		k.bad.Add(hash, struct{}{}, keepBad)
		return identity{}, 0, nil
	}
	user := review.Status.User
	who := identity{user: user, home: homeOf(user.Username), hash: hash, good: true}
	return who, min(keepGood, time.Until(said.end())), nil
}

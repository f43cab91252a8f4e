// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// audience of the tokens that are keys. The API server takes none of them
	// for itself, so a key that leaks opens nothing else.
	audience = "slipway.dev"
	// maxKey is longer than any token that Kubernetes makes, in bytes.
	maxKey = 16 << 10
	// maxKeys are remembered.
	maxKeys = 8192
	// keepGood is how long a key that was revoked may still be accepted.
	keepGood = time.Minute
	// keepBad spares the API server a client that repeats a bad key.
	keepBad = 5 * time.Second
)

// Reviewer sends TokenReviews and SubjectAccessReviews to the API server, which
// fills in their status.
type Reviewer interface {
	Create(ctx context.Context, object client.Object, options ...client.CreateOption) error
}

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
}

func newKeys(reviews Reviewer) *keys {
	return &keys{reviews, newMemory[identity](maxKeys)}
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
	who, err := k.known.get(r.Context(), hash, func(ctx context.Context) (identity, time.Duration, error) {
		return k.review(ctx, token, hash)
	})
	switch {
	case err != nil:
		return nil, unavailable(time.Second, "the key cannot be checked because the API server does not answer; try again")
	case !who.good:
		return nil, badKey("the key is not valid: it has expired, was revoked, or was made for another audience")
	}
	return &who, nil
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

// review asks the API server. A token that is good for something else is not
// good here, and an API server that ignores audiences names none.
func (k *keys) review(ctx context.Context, token, hash string) (identity, time.Duration, error) {
	review := &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{audience}},
	}
	if err := k.reviews.Create(ctx, review); err != nil {
		return identity{}, 0, err
	}
	if !review.Status.Authenticated || !slices.Contains(review.Status.Audiences, audience) {
		return identity{}, keepBad, nil
	}
	user := review.Status.User
	who := identity{user: user, home: homeOf(user.Username), hash: hash, good: true}
	return who, min(keepGood, time.Until(expiry(token))), nil
}

// expiry is when a token says that it expires, or far away if it does not say.
// The API server has checked its signature.
func expiry(token string) time.Time {
	never := time.Now().Add(keepGood)
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return never
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return never
	}
	var claims struct {
		Expiry float64 `json:"exp"`
	}
	if err := json.Unmarshal(text, &claims); err != nil || claims.Expiry == 0 {
		return never
	}
	return time.Unix(int64(claims.Expiry), 0)
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/go-logr/logr"
	"golang.org/x/sync/semaphore"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedauthenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	typedauthorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// maxReaders are asked about at a time: who makes up tokens waits.
const maxReaders = 4

// guard lets the API server say who may read metrics: whoever may get the path,
// as by Kubernetes' role system:monitoring. It asks with the rights that the front
// door has too (frontdoor.Rules).
//
// controller-runtime's filter does the same, and makes the program 20 MiB larger
// by libraries of the API server's.
type guard struct {
	tokens typedauthenticationv1.TokenReviewInterface
	access typedauthorizationv1.SubjectAccessReviewInterface
	turns  *semaphore.Weighted
}

// newGuard is what stands before each handler of the server of metrics.
func newGuard(config *rest.Config, client *http.Client) (metricsserver.Filter, error) {
	tokens, err := typedauthenticationv1.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("guarding the metrics: %w", err)
	}
	access, err := typedauthorizationv1.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("guarding the metrics: %w", err)
	}
	g := &guard{tokens.TokenReviews(), access.SubjectAccessReviews(), semaphore.NewWeighted(maxReaders)}
	return func(_ logr.Logger, handler http.Handler) (http.Handler, error) { return g.before(handler), nil }, nil
}

// before lets questions for health pass: a kubelet that asks has no token.
func (g *guard) before(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != healthPath {
			if status := g.judge(r); status != http.StatusOK {
				http.Error(w, http.StatusText(status), status)
				return
			}
		}
		handler.ServeHTTP(w, r)
	})
}

// judge is the HTTP status of what the API server says of a reader.
func (g *guard) judge(r *http.Request) int {
	token, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !is || token == "" {
		return http.StatusUnauthorized
	}
	if g.turns.Acquire(r.Context(), 1) != nil {
		return http.StatusServiceUnavailable
	}
	defer g.turns.Release(1)
	who := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	who, err := g.tokens.Create(r.Context(), who, metav1.CreateOptions{})
	switch {
	case err != nil:
		return http.StatusServiceUnavailable
	case !who.Status.Authenticated:
		return http.StatusUnauthorized
	}
	may, err := g.access.Create(r.Context(), toGet(r.URL.Path, who.Status.User), metav1.CreateOptions{})
	switch {
	case err != nil:
		return http.StatusServiceUnavailable
	case !may.Status.Allowed || may.Status.Denied:
		return http.StatusForbidden
	}
	return http.StatusOK
}

// toGet asks whether a user may get a path.
func toGet(path string, user authenticationv1.UserInfo) *authorizationv1.SubjectAccessReview {
	spec := authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups,
		Extra:                 map[string]authorizationv1.ExtraValue{},
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: "get"},
	}
	for key, values := range user.Extra {
		spec.Extra[key] = authorizationv1.ExtraValue(values)
	}
	return &authorizationv1.SubjectAccessReview{Spec: spec}
}

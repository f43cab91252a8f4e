// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"io"
	"net/http"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func TestKeysAndPermissions(t *testing.T) {
	r := newRig(t)
	r.model("tiny")
	r.model("big")
	r.allow("everything")
	r.allow("one", "tiny")
	everything, one, nothing := r.key("everything", audience), r.key("one", audience), r.key("nothing", audience)

	r.until(200, `"id":"tiny"`, everything, "GET", "/v1/models/tiny", "")
	r.until(200, `"id":"big"`, everything, "GET", "/v1/models/big", "")
	for _, c := range []struct {
		name, key, path string
		status          int
		words           string
	}{
		{"all", everything, "/v1/models", 200, `"id":"big"`},
		{"one of two", one, "/v1/models", 200, `"data":[{"id":"tiny",`},
		{"none", nothing, "/v1/models", 200, `"data":[]`},
		{"not that one", one, "/v1/models/big", 403, "permission_error"},
		{"qualified", one, "/v1/models/" + r.ns + "/tiny", 200, `"id":"tiny"`},
		{"for Kubernetes", r.key("everything"), "/v1/models", 401, "invalid_api_key"},
		{"for somebody else", r.key("everything", "vault"), "/v1/models", 401, "invalid_api_key"},
		{"forged", everything + "x", "/v1/models", 401, "invalid_api_key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := *r
			r.T = t
			r.until(c.status, c.words, c.key, "GET", c.path, "")
		})
	}
}

// TestKeyOpensNothingElse: a key is worth nothing at the API server.
func TestKeyOpensNothingElse(t *testing.T) {
	r := newRig(t)
	config := rest.AnonymousClientConfig(r.config)
	config.BearerToken = r.key("ann", audience)
	clients, err := kubernetes.NewForConfig(config)
	r.must(err)
	if _, err := clients.CoreV1().Pods(r.ns).List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("the API server took the key")
	} else if status, is := err.(interface{ Status() metav1.Status }); !is || status.Status().Code != http.StatusUnauthorized {
		t.Errorf("got %v", err)
	}
}

func TestRouting(t *testing.T) {
	r := newRig(t)
	model := r.model("tiny")
	r.allow("ann")
	key := r.key("ann", audience)
	engine := r.engine(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.Copy(w, request.Body)
	})
	ask := func(status int, words string) {
		t.Helper()
		r.until(status, words, key, "POST", completions, `{"model":"`+r.ns+`/tiny"}`)
	}
	ask(503, "it is being set up")

	old := model.DeepCopy()
	meta.SetStatusCondition(&model.Status.Conditions, metav1.Condition{
		Type: slipwayv1.ConditionReady, Status: metav1.ConditionFalse, Reason: "ImageNotPulled", Message: "image engine:1 cannot be pulled"})
	r.must(r.client.Status().Patch(t.Context(), model, client.MergeFrom(old)))
	ask(503, "image engine:1 cannot be pulled")

	slice := r.serve("tiny", engine)
	ask(200, `{"model":"tiny"`)

	*slice.Endpoints[0].Conditions.Ready = false
	r.must(r.client.Update(t.Context(), slice))
	ask(503, "does not answer")

	*slice.Endpoints[0].Conditions.Ready = true
	r.must(r.client.Update(t.Context(), slice))
	ask(200, `{"model":"tiny"`)

	r.must(r.client.Delete(t.Context(), model))
	ask(404, "model_not_found")
}

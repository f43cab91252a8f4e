// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// subresource serves the log of a pod and the token of an account.
func (f *fakeCluster) subresource(w http.ResponseWriter, r *http.Request) {
	switch name := r.PathValue("name"); r.PathValue("sub") {
	case "log":
		if why := f.get(key("pods", r.PathValue("namespace"), name)).GetAnnotations()["unreached"]; why != "" {
			answer(w, 500, metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: 500, Message: why})
			return
		}
		switch before := f.get(key("pods", r.PathValue("namespace"), name)).GetAnnotations()["before"]; {
		case r.URL.Query().Get("previous") == "" || before == "":
		case before == "never":
			refuse(w, apierrors.NewBadRequest(`previous terminated container "main" in pod "`+name+`" not found`))
			return
		default:
			fmt.Fprint(w, before) // As kubelets do: no line's end.
			return
		}
		log, found := f.logs[name]
		if !found {
			refuse(w, apierrors.NewBadRequest("container \"pytorch\" in pod \""+name+"\" is waiting to start: ContainerCreating"))
			return
		}
		f.log(w, r, log)
	case "token":
		f.record(r)
		answer(w, 201, map[string]any{
			"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
			"status": map[string]any{"token": "key-of-" + name, "expirationTimestamp": "2030-01-02T03:04:05Z"},
		})
	default:
		http.NotFound(w, r)
	}
}

func (f *fakeCluster) log(w http.ResponseWriter, r *http.Request, log string) {
	lines := strings.SplitAfter(log, "\n")
	lines = lines[:len(lines)-1]
	if tail, err := strconv.Atoi(r.URL.Query().Get("tailLines")); err == nil {
		lines = lines[max(0, len(lines)-tail):]
	}
	if r.URL.Query().Get("previous") == "true" {
		lines = []string{"from before the restart\n"}
	}
	since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("sinceTime"))
	for i, line := range lines {
		at := time.Unix(1_800_000_000+int64(i), 0).UTC()
		switch {
		case at.Before(since):
		case r.URL.Query().Get("timestamps") == "true":
			fmt.Fprintf(w, "%s %s", at.Format(time.RFC3339Nano), line)
		default:
			fmt.Fprint(w, line)
		}
	}
}

// frontDoor repeats the last thing that it was told, word by word.
func (f *fakeCluster) frontDoor(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Model, Prompt string
		Messages      []struct{ Role, Content string }
	}
	_ = json.NewDecoder(r.Body).Decode(&request)
	if r.Header.Get("Authorization") != "Bearer key-of-slipway-key" {
		answer(w, 401, map[string]any{"error": map[string]any{"message": "this key is not known", "code": "invalid_api_key"}})
		return
	}
	text := request.Prompt
	if n := len(request.Messages); n > 0 {
		text = fmt.Sprintf("%d: %s", n, request.Messages[n-1].Content)
	}
	if strings.Contains(text, "break") {
		answer(w, 503, map[string]any{"error": map[string]any{"message": "no replica of " + request.Model + " answers"}})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, word := range strings.SplitAfter(text, " ") {
		piece, _ := json.Marshal(map[string]any{"choices": []any{map[string]any{"text": word}}})
		fmt.Fprintf(w, "data: %s\n\n", piece)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

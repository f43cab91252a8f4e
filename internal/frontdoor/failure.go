// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// failure is an answer of the front door's own, in the shape of OpenAI's errors
// (https://platform.openai.com/docs/guides/error-codes).
type failure struct {
	status     int
	kind, code string // what clients match on
	message    string // what people read
	retryAfter time.Duration
	allow      string // the one method that would do
}

func (f *failure) Error() string { return f.message }

func badRequest(format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, kind: "invalid_request_error", code: "invalid_body", message: fmt.Sprintf(format, args...)}
}

func noSuchPath(path string) *failure {
	return &failure{status: http.StatusNotFound, kind: "invalid_request_error", code: "unknown_url",
		message: fmt.Sprintf("there is nothing at %.200q; the API is below /v1, such as /v1/chat/completions", path)}
}

func wrongMethod(method, want string) *failure {
	return &failure{status: http.StatusMethodNotAllowed, kind: "invalid_request_error", code: "method_not_supported", allow: want,
		message: fmt.Sprintf("%.20q does not work here; use %s", method, want)}
}

func badKey(cause string) *failure {
	return &failure{status: http.StatusUnauthorized, kind: "invalid_request_error", code: "invalid_api_key", message: cause +
		"; send Authorization: Bearer KEY with a key that \"slipway key\" prints, or with a token for the audience " + audience +
		" of a ServiceAccount that may use the model"}
}

func noSuchModel(id, home string) *failure {
	hint := "a model of another namespace is called namespace/name"
	if home != "" {
		hint = "a bare name is looked for in namespace " + home + ", a model elsewhere is called namespace/name"
	}
	return &failure{status: http.StatusNotFound, kind: "invalid_request_error", code: "model_not_found",
		message: fmt.Sprintf("model %.200q does not exist, or this key may not use it; %s, and GET /v1/models lists them", id, hint)}
}

func notAllowed(user, id, namespace string) *failure {
	return &failure{status: http.StatusForbidden, kind: "permission_error", code: "permission_error",
		message: fmt.Sprintf("the key of %s may not use model %q; grant it the verb use on models.slipway.dev in namespace %s", user, id, namespace)}
}

func unavailable(after time.Duration, format string, args ...any) *failure {
	return &failure{status: http.StatusServiceUnavailable, kind: "service_unavailable", code: "service_unavailable",
		message: fmt.Sprintf(format, args...), retryAfter: after}
}

func clientClosed() *failure {
	return &failure{status: http.StatusBadRequest, kind: "invalid_request_error", code: "client_closed_request",
		message: "the client closed its side of the connection before the answer; keep it open until the answer has come"}
}

func badGateway(format string, args ...any) *failure {
	return &failure{status: http.StatusBadGateway, kind: "server_error", code: "replica_failed", message: fmt.Sprintf(format, args...)}
}

func tooSlow(format string, args ...any) *failure {
	return &failure{status: http.StatusGatewayTimeout, kind: "server_error", code: "replica_timeout", message: fmt.Sprintf(format, args...)}
}

// body is the JSON text that clients parse.
func (f *failure) body() []byte {
	type object struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	text, err := json.Marshal(map[string]object{"error": {strings.ToValidUTF8(f.message, "?"), f.kind, nil, f.code}})
	if err != nil {
		panic(err) // strings always have a JSON form
	}
	return text
}

// write sends the failure; nothing may have been sent before.
func (f *failure) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	if f.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(f.retryAfter/time.Second)))
	}
	if f.allow != "" {
		header.Set("Allow", f.allow)
	}
	if f.status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	text := append(f.body(), '\n')
	header.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(f.status)
	w.Write(text) //nolint:errcheck // the client is gone, and nobody else is told
}

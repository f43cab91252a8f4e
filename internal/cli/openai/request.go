// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Endpoint is where a model answers.
type Endpoint struct {
	// URL is the base, ending in /v1.
	URL string
	// Key is sent as a bearer token.
	Key  string
	HTTP *http.Client
}

// Message of a chat.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Request is a prompt. With Messages it is a chat, with Prompt a completion.
type Request struct {
	Model       string    `json:"model"`
	Messages    []Message `json:"messages,omitempty"`
	Prompt      string    `json:"prompt,omitempty"`
	MaxTokens   int32     `json:"max_tokens,omitempty"`
	Temperature *float64  `json:"temperature,omitempty"`
	Stream      bool      `json:"stream"`
}

func (r Request) path() string {
	if r.Messages == nil {
		return "/completions"
	}
	return "/chat/completions"
}

// Stream sends a request and calls piece with each piece of the answer as it
// comes. The error says in one line why there is none, or no more.
func (e Endpoint) Stream(ctx context.Context, r Request, piece func(string) error) error {
	r.Stream = true
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	address := strings.TrimSuffix(e.URL, "/") + r.path()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the endpoint %q is no URL: %w", e.URL, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Authorization", "Bearer "+e.Key)
	response, err := e.HTTP.Do(request)
	if err != nil {
		return e.unreachable(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return refusal(response)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		return readWhole(response.Body, piece)
	}
	return readStream(response.Body, piece)
}

// unreachable leaves out the method and path that net/http puts before a cause.
func (e Endpoint) unreachable(err error) error {
	var transport *url.Error
	if errors.As(err, &transport) {
		err = transport.Err
	}
	return fmt.Errorf("the endpoint %s does not answer: %w; see: slipway status", e.URL, err)
}

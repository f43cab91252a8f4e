// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxError is how much of an error's body is read.
const maxError = 64 << 10

// chunk is an answer or a piece of one; chats and completions differ in where
// the text is.
type chunk struct {
	Choices []struct {
		Text    string  `json:"text"`
		Delta   Message `json:"delta"`
		Message Message `json:"message"`
	} `json:"choices"`
	problem
}

func (c chunk) text() string {
	if len(c.Choices) == 0 {
		return ""
	}
	return c.Choices[0].Text + c.Choices[0].Delta.Content + c.Choices[0].Message.Content
}

// problem is an error in OpenAI's form, or in the older one without wrapper.
type problem struct {
	Error   *detail `json:"error"`
	Object  string  `json:"object"`
	Message string  `json:"message"`
	Code    any     `json:"code"`
}

type detail struct {
	Message string `json:"message"`
	Code    any    `json:"code"`
}

// UnmarshalJSON accepts a bare text, too.
func (d *detail) UnmarshalJSON(content []byte) error {
	if json.Unmarshal(content, &d.Message) == nil {
		return nil
	}
	type plain detail
	return json.Unmarshal(content, (*plain)(d))
}

func (p problem) err() error {
	d := p.Error
	if d == nil && p.Object == "error" {
		d = &detail{p.Message, p.Code}
	}
	if d == nil {
		return nil
	}
	text := oneLine(d.Message)
	if text == "" {
		text = "an error without words"
	}
	if code, is := d.Code.(string); is && code != "" {
		return fmt.Errorf("%s (%s)", text, code)
	}
	return errors.New(text)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// refusal is the error of an answer whose status is not 200.
func refusal(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxError))
	var p problem
	err := json.Unmarshal(body, &p)
	if reason := p.err(); err == nil && reason != nil {
		return fmt.Errorf("the endpoint answered %s: %w", response.Status, reason)
	}
	text := oneLine(string(body))
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return fmt.Errorf("the endpoint answered %s: %s", response.Status, strings.ToValidUTF8(text, "?"))
}

// readWhole reads an answer that was not streamed.
func readWhole(body io.Reader, piece func(string) error) error {
	var c chunk
	if err := json.NewDecoder(body).Decode(&c); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if err := c.err(); err != nil {
		return fmt.Errorf("the endpoint answered: %w", err)
	}
	return piece(c.text())
}

// readStream reads server-sent events until [DONE]. A stream that ends before
// it was cut off.
func readStream(body io.Reader, piece func(string) error) error {
	for r := bufio.NewReader(body); ; {
		line, err := r.ReadBytes('\n')
		data, is := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("data:"))
		data = bytes.TrimSpace(data)
		switch {
		case is && bytes.Equal(data, []byte("[DONE]")):
			return nil
		case is && len(data) > 0:
			if err := readChunk(data, piece); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return errors.New("the answer was cut off: the replica may have gone; ask again")
		}
		if err != nil {
			return fmt.Errorf("the answer was cut off: %w; ask again", err)
		}
	}
}

func readChunk(data []byte, piece func(string) error) error {
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if err := c.err(); err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	if text := c.text(); text != "" {
		return piece(text)
	}
	return nil
}

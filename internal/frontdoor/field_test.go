// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFindString(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       string // the value, or what the error says
	}{
		{"alone", `{"model":"a"}`, "a"},
		{"among others", ` {"messages" : [{"model":"x"}], "model" : "a" , "n":1e-3,"stop":null}` + "\n", "a"},
		{"nested only", `{"messages":[{"model":"x"}],"o":{"model":"y"}}`, "is missing"},
		{"in a string", `{"prompt":"\"model\":\"x\"","model":"a"}`, "a"},
		{"brackets in a string", `{"prompt":["}]{[","\\"],"model":"a"}`, "a"},
		{"escaped backslash ends", `{"prompt":"\\\\","model":"a"}`, "a"},
		{"escaped key", `{"mod\u0065l":"a"}`, "a"},
		{"escaped value", `{"model":"a\/b\u0063"}`, "a/bc"},
		{"twice", `{"model":"a","model":"b"}`, "twice"},
		{"twice, once escaped", `{"model":"a","\u006dodel":"b"}`, "twice"},
		{"number", `{"model":1}`, "not a string"},
		{"null", `{"model":null}`, "not a string"},
		{"empty", ``, "not a JSON object"},
		{"list", `[{"model":"a"}]`, "not a JSON object"},
		{"form", "--x\r\nContent-Disposition: form-data", "not a JSON object"},
		{"two objects", `{"model":"a"}{"model":"b"}`, "not JSON"},
		{"comment", `{/*"model":"a",*/"model":"b"}`, "not JSON"},
		{"no comma", `{"n":1 "model":"b"}`, "not JSON"},
		{"comma at the end", `{"model":"b",}`, "not JSON"},
		{"no end", `{"model":"b"`, "not JSON"},
		{"no end of string", `{"model":"b`, "not JSON"},
		{"no end of list", `{"model":"b","l":[[]`, "not JSON"},
		{"bare key", `{model:"b"}`, "not JSON"},
		{"single quotes", `{'model':'b'}`, "not JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got, err := findString([]byte(c.body), "model")
			if err != nil {
				got = err.Error()
			}
			if (err == nil && got != c.want) || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// FuzzFindString compares with encoding/json, for all that encoding/json takes.
func FuzzFindString(f *testing.F) {
	for _, body := range []string{
		`{"model":"team/a","messages":[{"role":"user","content":"hé\n\"model\": \"x\""}],"n":-1.5E+3}`,
		`{"model":"a","model":"b"}`, `{"\u006dodel":"\ud800","x":[{},[],""]}`, `{"model":{"model":"a"}} `, `{"a":"\\\"","model":""}`,
		`{}`, `[]`, `{"model":"a"}x`, "{\"model\":\"\xff\"}", `{"x":{]},"model":"a"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		at, got, err := findString(body, "model")
		if err == nil && (at.start < 0 || at.end > len(body) || at.end-at.start < 2 || body[at.start] != '"' || body[at.end-1] != '"') {
			t.Fatalf("span %v of %q", at, body)
		}
		if !json.Valid(body) {
			return
		}
		want, found := reference(t, body)
		if (err == nil) != found {
			t.Fatalf("got %q, %v; encoding/json finds one string: %v, in %q", got, err, found, body)
		}
		// Of text that is not UTF-8, encoding/json replaces what is wrong.
		if err == nil && got != want && strings.ToValidUTF8(got, "\ufffd") != strings.ToValidUTF8(want, "\ufffd") && !strings.Contains(want, "\ufffd") {
			t.Fatalf("got %q, want %q", got, want)
		}
		if err == nil {
			checkOverwrite(t, body, at)
		}
	})
}

// reference finds the field by decoding, and says whether it is there exactly
// once and is a string.
func reference(t *testing.T, body []byte) (string, bool) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return "", false
	}
	value, times := any(nil), 0
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		var any any
		if err := decoder.Decode(&any); err != nil && !errors.Is(err, io.EOF) {
			t.Skip("encoding/json cannot hold a number of this body")
		}
		if key == "model" {
			value, times = any, times+1
		}
	}
	text, is := value.(string)
	return text, is && times == 1
}

// checkOverwrite: a name that fits changes that field and nothing else.
func checkOverwrite(t *testing.T, body []byte, at span) {
	t.Helper()
	name := strings.Repeat("n", at.end-at.start-2)
	name = name[:len(name)/2]
	changed := bytes.Clone(body)
	overwrite(changed, at, name)
	if len(changed) != len(body) || !bytes.Equal(changed[:at.start], body[:at.start]) || !bytes.Equal(changed[at.end:], body[at.end:]) {
		t.Fatalf("overwriting changed more than the field: %q to %q", body, changed)
	}
	if _, got, err := findString(changed, "model"); err != nil || got != name || !json.Valid(changed) {
		t.Fatalf("after overwriting got %q, %v in %q, want %q", got, err, changed, name)
	}
}

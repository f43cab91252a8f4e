// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"encoding/json"
)

// span is where a value stands in a body, quotes included.
type span struct{ start, end int }

// findString finds the string at a field of the JSON object that a body is, and
// what it says. Only the outermost object counts. The rest of the body is
// walked over and not decoded, at the speed of memory for long strings, and its
// reader at the replica is the one to find fault with it; but a body that
// readers may understand in different ways is refused.
func findString(body []byte, field string) (span, string, error) {
	w := walker{text: body}
	at, err := w.field(field)
	if err != nil {
		return span{}, "", err
	}
	value, is := unquote(body[at.start:at.end])
	if !is {
		return span{}, "", badRequest("field %q is not a string; send \"%s\": \"NAME\"", field, field)
	}
	return at, value, nil
}

// overwrite puts a name, which needs no escaping and is no longer than what
// stands there, in place of a string. Spaces after it keep the body's length.
func overwrite(body []byte, at span, name string) {
	value := body[at.start:at.end]
	n := 1 + copy(value[1:], name)
	value[n] = '"'
	for i := n + 1; i < len(value); i++ {
		value[i] = ' '
	}
}

// walker goes through JSON text.
type walker struct {
	text []byte
	at   int
}

// field walks through the outermost object and returns where the value of the
// field is.
func (w *walker) field(name string) (span, error) {
	found := span{}
	if !w.take('{') {
		return found, badRequest("the body is not a JSON object; send Content-Type: application/json with {\"%s\": …}", name)
	}
	for first := true; !w.take('}'); first = false {
		if !first && !w.take(',') {
			return found, w.malformed()
		}
		key, ok := w.string()
		if !ok || !w.take(':') {
			return found, w.malformed()
		}
		value, ok := w.value()
		if !ok {
			return found, w.malformed()
		}
		if text, is := unquote(w.text[key.start:key.end]); !is || text != name {
			continue
		}
		if found.end > 0 {
			return found, badRequest("field %q is there twice; send it once", name)
		}
		found = value
	}
	if w.space(); w.at < len(w.text) {
		return found, w.malformed()
	}
	if found.end == 0 {
		return found, badRequest("field %q is missing; it names the model, and GET /v1/models lists them", name)
	}
	return found, nil
}

func (w *walker) malformed() error {
	return badRequest("the body is not JSON: something is wrong at byte %d", w.at)
}

func (w *walker) space() {
	for w.at < len(w.text) {
		switch w.text[w.at] {
		case ' ', '\t', '\n', '\r':
			w.at++
		default:
			return
		}
	}
}

// take skips space and then the character, if it is there.
func (w *walker) take(c byte) bool {
	w.space()
	if w.at < len(w.text) && w.text[w.at] == c {
		w.at++
		return true
	}
	return false
}

// string walks over a string. A quote ends it unless an odd number of
// backslashes is before it.
func (w *walker) string() (span, bool) {
	w.space()
	start := w.at
	if start >= len(w.text) || w.text[start] != '"' {
		return span{}, false
	}
	for from := start + 1; ; {
		i := bytes.IndexByte(w.text[from:], '"')
		if i < 0 {
			return span{}, false
		}
		quote := from + i
		backslashes := 0
		for quote-1-backslashes > start && w.text[quote-1-backslashes] == '\\' {
			backslashes++
		}
		from = quote + 1
		if backslashes%2 == 0 {
			w.at = from
			return span{start, from}, true
		}
	}
}

// value walks over any value.
func (w *walker) value() (span, bool) {
	w.space()
	if w.at >= len(w.text) {
		return span{}, false
	}
	start := w.at
	var ok bool
	switch w.text[start] {
	case '"':
		return w.string()
	case '{', '[':
		ok = w.nested()
	default:
		for w.at < len(w.text) && isScalar(w.text[w.at]) {
			w.at++
		}
		ok = w.at > start
	}
	return span{start, w.at}, ok
}

// nested walks over an object or array, to the bracket that closes it.
func (w *walker) nested() bool {
	for depth := 0; w.at < len(w.text); {
		switch w.text[w.at] {
		case '"':
			if _, ok := w.string(); !ok {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		w.at++
		if depth == 0 {
			return true
		}
	}
	return false
}

// isScalar: numbers, true, false and null are made of these.
func isScalar(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'E'
}

// unquote is what a string says.
func unquote(quoted []byte) (string, bool) {
	if len(quoted) < 2 || quoted[0] != '"' {
		return "", false
	}
	if plain := quoted[1 : len(quoted)-1]; bytes.IndexByte(plain, '\\') < 0 {
		return string(plain), true
	}
	var text string
	return text, json.Unmarshal(quoted, &text) == nil
}

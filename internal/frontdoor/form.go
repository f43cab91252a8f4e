// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bufio"
	"bytes"
	"mime"
	"net/http"
	"net/textproto"
	"slices"
)

// formBoundary is what separates the parts of a body that is a form, as those
// with files are, and false for any other.
func formBoundary(header http.Header) (string, bool) {
	kind, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	return parameters["boundary"], err == nil && kind == "multipart/form-data"
}

// findFormField finds the value of a field of a form (RFC 7578) and what it says.
// Files are walked over. As with JSON, a body that readers may understand in
// different ways is refused: one with text around its parts, or with the field
// twice.
func findFormField(body []byte, boundary, field string) (span, string, error) {
	found := span{}
	for w := (formWalker{text: body, delimiter: []byte("\r\n--" + boundary)}); ; {
		name, value, more := w.part()
		switch {
		case w.broken || boundary == "":
			return span{}, "", badRequest("the body is not a form: something is wrong at byte %d", w.at)
		case !more && found.end == 0:
			return span{}, "", badRequest("field %q of the form is missing; it names the model, and GET /v1/models lists them", field)
		case !more:
			return found, string(body[found.start:found.end]), nil
		case name != field:
		case found.end > 0:
			return span{}, "", badRequest("field %q is there twice; send it once", field)
		default:
			found = value
		}
	}
}

// replace puts a name, which is no longer than what stands there, in place of a
// form's value. A form has no room for spaces, so the body becomes shorter.
func replace(body []byte, at span, name string) []byte {
	return slices.Replace(body, at.start, at.end, []byte(name)...)
}

// formWalker goes through the parts of a form.
type formWalker struct {
	text      []byte
	delimiter []byte // with the end of line before it, which the first part lacks
	at        int
	broken    bool
}

// part walks over one part and returns its field's name, which is empty for a
// file, and where its value is; and false after the last.
func (w *formWalker) part() (string, span, bool) {
	if w.at == 0 && !w.take(w.delimiter[2:]) {
		return "", span{}, false
	}
	if bytes.HasPrefix(w.text[w.at:], []byte("--")) {
		rest := string(w.text[w.at+2:])
		w.broken = rest != "" && rest != "\r\n"
		return "", span{}, false
	}
	if !w.take([]byte("\r\n")) {
		return "", span{}, false
	}
	header, ok := w.until([]byte("\r\n\r\n"))
	if !ok {
		return "", span{}, false
	}
	// Some readers end a value that is empty before the line does.
	ambiguous := bytes.HasPrefix(w.text[w.at:], w.delimiter[2:])
	value, ok := w.until(w.delimiter)
	if w.broken = w.broken || ambiguous; !ok || ambiguous {
		return "", span{}, false
	}
	return w.name(header), value, true
}

// take skips what must come.
func (w *formWalker) take(what []byte) bool {
	w.broken = !bytes.HasPrefix(w.text[w.at:], what)
	if !w.broken {
		w.at += len(what)
	}
	return !w.broken
}

// until walks to what must come, and beyond it.
func (w *formWalker) until(what []byte) (span, bool) {
	i := bytes.Index(w.text[w.at:], what)
	if w.broken = i < 0; w.broken {
		return span{}, false
	}
	before := span{w.at, w.at + i}
	w.at += i + len(what)
	return before, true
}

// name is that of the field whose header stands there.
func (w *formWalker) name(at span) string {
	text := append(bytes.Clone(w.text[at.start:at.end]), "\r\n\r\n"...)
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(text))).ReadMIMEHeader()
	bare := bytes.Count(text, []byte("\n")) - bytes.Count(text, []byte("\r\n"))
	if err != nil || bare > 0 || bytes.Contains(text, w.delimiter) {
		w.broken = true
		return ""
	}
	kind, parameters, err := mime.ParseMediaType(header.Get("Content-Disposition"))
	w.broken = err != nil || kind != "form-data"
	if _, isFile := parameters["filename"]; isFile {
		return ""
	}
	return parameters["name"]
}

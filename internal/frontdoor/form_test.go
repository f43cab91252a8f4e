// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// part of a form, with lines that end as they must.
func part(header, value string) string {
	return "--b\r\nContent-Disposition: form-data; " + header + "\r\n\r\n" + value + "\r\n"
}

func TestFindFormField(t *testing.T) {
	model, file := part(`name="model"`, "team/tiny"), part(`name="file"; filename="a.wav"`, "RIFF\r\n\r\n--")
	for _, c := range []struct {
		name, body, want string
		fault            string
	}{
		{"first", model + file + "--b--\r\n", "team/tiny", ""},
		{"last", file + model + "--b--", "team/tiny", ""},
		{"empty", part(`name="model"`, "") + "--b--", "", ""},
		{"without quotes, more headers", "--b\r\ncontent-type: text/plain\r\ncontent-disposition: form-data; name=model\r\n\r\nx\r\n--b--", "x", ""},
		{"a field after it", model + part(`name="n"`, "1") + "--b--", "team/tiny", ""},
		{"a file of that name", part(`name="model"; filename="model"`, "x") + "--b--", "", "is missing"},
		{"none", file + "--b--", "", "is missing"},
		{"no parts", "--b--", "", "is missing"},
		{"twice", model + file + model + "--b--", "", "twice"},
		{"nothing", "", "", "not a form"},
		{"JSON", `{"model":"tiny"}`, "", "not a form"},
		{"text before", "x\r\n" + model + "--b--", "", "not a form"},
		{"text after", model + "--b--\r\n" + model, "", "not a form"},
		{"no end", model, "", "not a form"},
		{"cut off", model[:len(model)-6], "", "not a form"},
		{"bare newlines", strings.ReplaceAll(model, "\r\n", "\n") + "--b--", "", "not a form"},
		{"no header", "--b\r\n\r\nx\r\n--b--", "", "not a form"},
		{"no empty line", "--b\r\nContent-Disposition: form-data; name=model\r\n--b\r\nX: y\r\n\r\nx\r\n--b--", "", "not a form"},
		{"bare newline after", model + "--b--\n", "", "not a form"},
		{"bare newline in a header", strings.Replace(model, "\r\n\r\n", "\n\r\n\r\n", 1) + "--b--", "", "not a form"},
		{"boundary without its line", part(`name="n"`, "--b") + model + "--b--", "", "not a form"},
		{"another disposition", strings.Replace(model, "form-data", "attachment", 1) + "--b--", "", "not a form"},
		{"no field", "--b\r\nX: y\r\n\r\nx\r\n--b--", "", "not a form"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, got, err := findFormField([]byte(c.body), "b", "model")
			var f *failure
			switch {
			case errors.As(err, &f):
				if c.fault == "" || f.status != 400 || !strings.Contains(f.message, c.fault) {
					t.Errorf("got %d %q, want %q", f.status, f.message, c.fault)
				}
			case c.fault != "" || got != c.want || c.body[at.start:at.end] != c.want:
				t.Errorf("got %q at %v, want %q, fault %q", got, at, c.want, c.fault)
			}
		})
	}
	if _, _, err := findFormField([]byte("--\r\n----"), "", "model"); err == nil {
		t.Error("a form without a boundary is taken")
	}
}

// TestForm: a form with a file arrives as it was sent, but for the namespace in
// front of the model's name.
func TestForm(t *testing.T) {
	sound := strings.Repeat("\x00\r\n--", 1<<16)
	for sent, want := range map[string]string{"tiny": "tiny", "team/tiny": "tiny"} {
		t.Run(sent, func(t *testing.T) {
			got := map[string]string{}
			w := newWorld(t, Options{})
			w.model("team", "tiny", newEngine(t, func(_ http.ResponseWriter, r *http.Request) {
				file, _, err := r.FormFile("file")
				if err != nil {
					t.Error(err)
					return
				}
				content, _ := io.ReadAll(file)
				got["file"], got["model"], got["language"] = string(content), r.FormValue("model"), r.FormValue("language")
			}))
			var body bytes.Buffer
			form := multipart.NewWriter(&body)
			file, err := form.CreateFormFile("file", "a.wav")
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(file, sound)
			form.WriteField("model", sent)
			form.WriteField("language", "en")
			form.Close()
			text(t, w.ask(t, "POST", "/v1/audio/transcriptions", body.String(), with("Content-Type", form.FormDataContentType())))
			if diff := cmp.Diff(map[string]string{"file": sound, "model": want, "language": "en"}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzFindFormField(f *testing.F) {
	f.Add([]byte(part(`name="model"`, "tiny") + part(`name="file"; filename="a"`, "x") + "--b--\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, ours, err := findFormField(body, "b", "model")
		if err != nil {
			return
		}
		// What is taken, the standard library reads in the same way.
		theirs, err := multipart.NewReader(bytes.NewReader(body), "b").ReadForm(1 << 20)
		if err != nil {
			t.Fatalf("we read %q, others %v", ours, err)
		}
		if values := theirs.Value["model"]; len(values) != 1 || values[0] != ours {
			t.Fatalf("we read %q, others %q", ours, values)
		}
	})
}

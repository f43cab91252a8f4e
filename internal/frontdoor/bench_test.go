// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRequest passes requests through over real connections. CPU is that
// of the whole process, client and engine included: "direct" is the same
// without a front door, and the difference is the front door's.
func BenchmarkRequest(b *testing.B) {
	for _, size := range []int{1 << 10, 220 << 10} {
		prompt := strings.Repeat("All work and no play.\\n", size/22)
		for _, model := range []string{"tiny", "team/tiny"} {
			body := []byte(`{"messages":[{"role":"user","content":"` + prompt + `"}],"model":"` + model + `","temperature":0.5}`)
			w := newWorld(b, Options{})
			engine := newEngine(b, func(answer http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				answer.Header().Set("Content-Type", "application/json")
				io.WriteString(answer, `{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hello"}}]}`)
			})
			w.model("team", "tiny", engine)
			for name, url := range map[string]string{"direct": engine.URL, "door": w.url} {
				b.Run(fmt.Sprintf("%dKB/%s/%s", size>>10, strings.ReplaceAll(model, "/", "+"), name), func(b *testing.B) {
					benchmark(b, url+completions, body)
				})
			}
		}
	}
}

func benchmark(b *testing.B, url string, body []byte) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	b.ReportAllocs()
	began := cpu(b)
	for b.Loop() {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+goodKey)
		response, err := client.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
			b.Fatalf("got %d, %v", response.StatusCode, err)
		}
		response.Body.Close()
	}
	b.ReportMetric(float64(cpu(b)-began)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
}

// cpu is what the process has used.
func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkHandler is the front door alone: no client, and an engine that
// costs nothing.
func BenchmarkHandler(b *testing.B) {
	for _, size := range []int{1 << 10, 220 << 10} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			body := []byte(`{"prompt":"` + strings.Repeat("All work and no play.\\n", size/22) + `","model":"team/tiny"}`)
			w := newWorld(b, Options{})
			w.model("team", "tiny", nobody(b))
			w.door.upstream = instant{}
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(http.MethodPost, completions, bytes.NewReader(body))
				request.Header.Set("Authorization", "Bearer "+goodKey)
				answer := httptest.NewRecorder()
				if w.door.ServeHTTP(answer, request); answer.Code != http.StatusOK {
					b.Fatal(answer.Body)
				}
			}
		})
	}
}

// instant is an engine that costs nothing.
type instant struct{}

func (instant) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: 2,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func BenchmarkFindString(b *testing.B) {
	body := []byte(`{"prompt":"` + strings.Repeat("All work and no play.\\n", 10000) + `","model":"team/tiny"}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, _, err := findString(body, "model"); err != nil {
			b.Fatal(err)
		}
	}
}

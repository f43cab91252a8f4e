// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/types"
)

// Options of a Door. What is zero has a default.
type Options struct {
	// MaxBody of a request, in bytes; 32 MiB.
	MaxBody int64
	// MaxBodies is how much of all requests' bodies is held at a time, in bytes,
	// and no less than MaxBody; 512 MiB.
	MaxBodies int64
	// Upload is how long a client may pause while it sends its body, and how long
	// a body that nobody wants is waited for; 30 seconds.
	Upload time.Duration
	// FirstByte is how long a replica may take to begin its answer, which
	// without streaming comes when all of it is there; 30 minutes.
	FirstByte time.Duration
	// Idle is how long a replica may pause within its answer, and a client
	// within reading it; 5 minutes.
	Idle time.Duration
}

func (o Options) withDefaults() Options {
	or := func(value *time.Duration, standard time.Duration) {
		if *value == 0 {
			*value = standard
		}
	}
	or(&o.Upload, 30*time.Second)
	or(&o.FirstByte, 30*time.Minute)
	or(&o.Idle, 5*time.Minute)
	if o.MaxBody == 0 {
		o.MaxBody = 32 << 20
	}
	if o.MaxBodies == 0 {
		o.MaxBodies = 512 << 20
	}
	o.MaxBodies = max(o.MaxBodies, o.MaxBody+1)
	return o
}

func sizeText(bytes int64) string {
	if bytes%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// Door answers for all Models.
type Door struct {
	options  Options
	keys     *keys
	access   *access
	table    *table
	metrics  *meters
	upstream http.RoundTripper
	bodies   *semaphore.Weighted // bytes that may be held
	copies   sync.Pool           // buffers for passing answers on
}

// New makes a Door that asks for keys and permissions with the reviewer and
// counts in the registry. It knows no Model until watch has told it.
func New(reviews Reviewer, registry prometheus.Registerer, options Options) (*Door, error) {
	metrics, err := newMeters(registry)
	options = options.withDefaults()
	return &Door{
		options:  options,
		keys:     newKeys(reviews),
		access:   newAccess(reviews),
		table:    newTable(),
		metrics:  metrics,
		upstream: newTransport(options),
		bodies:   semaphore.NewWeighted(options.MaxBodies),
	}, err
}

// newTransport connects to replicas. Idle connections are kept in any number
// but not for long: an engine closes them after a few seconds too, and a request
// sent at that moment would be lost and could not be repeated.
func newTransport(options Options) *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        time.Second,
		ResponseHeaderTimeout:  options.FirstByte,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true,
		WriteBufferSize:        32 << 10,
	}
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{door: d, answer: newAnswer(w, d.options.Idle), request: r, started: time.Now(), id: requestID(r.Header)}
	v.answer.Header().Set(headerRequestID, v.id)
	if r.ContentLength != 0 {
		// net/http reads what is left of a body before it sends an answer, and has
		// no limit of its own for how long.
		v.answer.expect(d.options.Upload)
	}
	defer func() {
		d.table.count(v.model, func(model types.NamespacedName) { d.metrics.ended(model, v.outcome()) })
	}()
	if err := v.serve(); err != nil {
		v.fail(err)
	}
}

const headerRequestID = "X-Request-Id"

var plainID = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]{1,128}$`)

// requestID is the client's, if it may stand in a log, or a new one.
func requestID(header http.Header) string {
	if id := header.Get(headerRequestID); plainID.MatchString(id) {
		return id
	}
	return rand.Text()
}

// visit is one request from its header to the end of its answer.
type visit struct {
	door    *Door
	answer  *answer
	request *http.Request
	started time.Time
	id      string
	model   types.NamespacedName // once it is known that it exists
	late    bool                 // the client paused for too long in its body
	broken  bool                 // the replica died in the middle of its answer
}

// serve answers, or returns why not; nothing was sent then.
func (v *visit) serve() error {
	switch path := v.request.URL.Path; {
	case path == "/healthz":
		return v.healthz()
	case path == "/v1/models":
		return v.listModels()
	case strings.HasPrefix(path, "/v1/models/"):
		return v.showModel(strings.TrimPrefix(path, "/v1/models/"))
	case isInference(v.request.URL.EscapedPath()):
		return v.infer()
	default:
		return noSuchPath(path)
	}
}

func (v *visit) method(want string) error {
	if v.request.Method != want {
		return wrongMethod(v.request.Method, want)
	}
	return nil
}

func (v *visit) healthz() error {
	if err := v.method(http.MethodGet); err != nil {
		return err
	}
	_, err := io.WriteString(v.answer, "ok\n")
	return err
}

// fail sends why a request is not answered. Without it net/http would send an
// empty answer of status 200, also to a client that it takes for gone: one whose
// body is late, or who has closed its own side of the connection alone.
func (v *visit) fail(err error) {
	if v.answer.status != 0 {
		return
	}
	var f *failure
	switch {
	case v.request.Context().Err() != nil && !v.late:
		f = clientClosed()
	case !errors.As(err, &f):
		f = &failure{status: http.StatusInternalServerError, kind: "server_error", code: "server_error", message: err.Error()}
	}
	v.answer.Header().Set(headerRequestID, v.id)
	f.write(v.answer)
}

// outcome is what the request is counted as.
func (v *visit) outcome() int {
	switch {
	case v.late:
		return http.StatusRequestTimeout
	case v.request.Context().Err() != nil:
		return clientGone
	case v.broken:
		return http.StatusBadGateway
	case v.answer.status == 0:
		return http.StatusOK
	}
	return v.answer.status
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

// meters count requests by Model and outcome. A label is never what a client
// or a replica wrote: only Models that exist are named (see table.count), and
// only status codes that have a meaning.
type meters struct {
	requests    *prometheus.CounterVec
	firstByte   *prometheus.HistogramVec
	outstanding *prometheus.GaugeVec
}

func newMeters(registry prometheus.Registerer) (*meters, error) {
	m := &meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "slipway_frontdoor_requests_total",
			Help: "Requests that have ended, by model (namespace/name, empty if there is none of that name) and HTTP status; a stream whose replica died counts as 502, one whose client went away as 499.",
		}, []string{"model", "code"}),
		firstByte: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "slipway_frontdoor_first_byte_seconds",
			Help:    "Time from a request's header to the replica's header.",
			Buckets: []float64{.005, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60, 300},
		}, []string{"model"}),
		outstanding: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "slipway_frontdoor_outstanding_requests",
			Help: "Requests that replicas are answering.",
		}, []string{"model"}),
	}
	return m, errors.Join(register(registry, &m.requests), register(registry, &m.firstByte), register(registry, &m.outstanding))
}

// register uses what is registered already, so that a process may have several
// front doors.
func register[C prometheus.Collector](registry prometheus.Registerer, collector *C) error {
	err := registry.Register(*collector)
	var registered prometheus.AlreadyRegisteredError
	if errors.As(err, &registered) {
		if existing, same := registered.ExistingCollector.(C); same {
			*collector = existing
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	return nil
}

func (m *meters) ended(model types.NamespacedName, code int) {
	m.requests.WithLabelValues(label(model), codeLabel(code)).Inc()
}

func (m *meters) answered(model types.NamespacedName, after time.Duration) {
	m.firstByte.WithLabelValues(label(model)).Observe(after.Seconds())
}

// forget drops what was counted of a Model that is gone.
func (m *meters) forget(model types.NamespacedName) {
	of := prometheus.Labels{"model": label(model)}
	m.requests.DeletePartialMatch(of)
	m.firstByte.DeletePartialMatch(of)
	m.outstanding.DeletePartialMatch(of)
}

func label(model types.NamespacedName) string {
	if model.Name == "" {
		return ""
	}
	return model.String()
}

// clientGone is nginx's status for a request whose client did not wait.
const clientGone = 499

func codeLabel(code int) string {
	if http.StatusText(code) == "" && code != clientGone {
		return "other"
	}
	return strconv.Itoa(code)
}

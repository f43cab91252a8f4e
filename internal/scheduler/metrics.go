// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"slipway.dev/slipway/internal/placement"
)

// maxProjects are told of, the first by name: whoever may make projects must not be able
// to fill a monitoring system. Of each only what it has a quota of is told, which its
// schema bounds.
const maxProjects = 1000

// meters are the scheduler's metrics. A label is one of a few words of ours, or names a
// Project that exists. Gauges are read off the ledger when somebody asks; a scheduler
// that does not lead has none.
type meters struct {
	scheduler *scheduler

	decisions *prometheus.CounterVec
	evictions *prometheus.CounterVec
	promises  *prometheus.CounterVec
	repairs   *prometheus.CounterVec
	writes    *prometheus.CounterVec
	deciding  prometheus.Histogram
	planning  prometheus.Histogram

	gangs, used, guaranteed *prometheus.Desc
}

// durations in seconds: a change that concerns one gang, to a pass over thousands.
var durations = []float64{.0001, .0003, .001, .003, .01, .03, .1, .3, 1, 3, 10}

func newMeters(s *scheduler) *meters {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "slipway_scheduler_" + name, Help: help}, labels)
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "slipway_scheduler_" + name, Help: help, Buckets: durations})
	}
	quota := []string{"project", "resource", "kind"}
	return &meters{
		scheduler: s,
		decisions: counter("decisions_total", "Answers to gangs that were new, by outcome.", "outcome"),
		evictions: counter("evictions_total", "Gangs that gave way to another one, whole or in part, by cause.", "cause"),
		promises:  counter("promises_total", "Starts that gangs were told, by outcome: kept, late, put_off or withdrawn.", "outcome"),
		repairs:   counter("repairs_total", "Pods that were held to a node, are not bound there and go, so that others are made, by cause.", "cause"),
		writes:    counter("status_writes_total", "Requests to write a status, by kind and result.", "kind", "result"),
		deciding:  histogram("decision_duration_seconds", "Time that one decision on everything that changed took."),
		planning:  histogram("plan_duration_seconds", "Time that one plan of evictions and starts took."),
		gangs: prometheus.NewDesc("slipway_scheduler_gangs",
			"Gangs by the state of the last answer to them; undecided ones have none yet.", []string{"state"}, nil),
		used: prometheus.NewDesc("slipway_project_used",
			"What the gangs of a project and of those below it use of a resource that it has a quota of, on nodes of a kind, or on all.", quota, nil),
		guaranteed: prometheus.NewDesc("slipway_project_guaranteed",
			"What a project is guaranteed of a resource, on nodes of a kind, or on all.", quota, nil),
	}
}

// register in place of those of an earlier scheduler of the same process.
func (m *meters) register(registry prometheus.Registerer) error {
	registry.Unregister(m)
	return registry.Register(m)
}

func (m *meters) counted() []prometheus.Collector {
	return []prometheus.Collector{m.decisions, m.evictions, m.promises, m.repairs, m.writes, m.deciding, m.planning}
}

// Describe the metrics.
func (m *meters) Describe(out chan<- *prometheus.Desc) {
	for _, c := range m.counted() {
		c.Describe(out)
	}
	out <- m.gangs
	out <- m.used
	out <- m.guaranteed
}

// Collect the metrics as they are.
func (m *meters) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.counted() {
		c.Collect(out)
	}
	states, quotas := m.scheduler.gauges()
	for state, n := range states {
		out <- prometheus.MustNewConstMetric(m.gangs, prometheus.GaugeValue, float64(n), state)
	}
	for _, q := range quotas {
		out <- prometheus.MustNewConstMetric(m.used, prometheus.GaugeValue, q.used, q.project, q.resource, q.kind)
		out <- prometheus.MustNewConstMetric(m.guaranteed, prometheus.GaugeValue, q.guaranteed, q.project, q.resource, q.kind)
	}
}

// quotaGauge is what a project uses of one quota.
type quotaGauge struct {
	project, resource, kind string
	used, guaranteed        float64
}

// undecided is the state of gangs without an answer.
const undecided = "Undecided"

// gauges are the numbers of gangs by state and the use of quotas; none before the first
// decision.
func (s *scheduler) gauges() (map[string]int, []quotaGauge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ledger.decided {
		return nil, nil
	}
	states := map[string]int{undecided: 0, string(placement.Placed): 0, string(placement.Waiting): 0, string(placement.Never): 0}
	for _, e := range s.ledger.gangs {
		state := undecided
		if e.answer != nil {
			is, _, _ := e.answer.explain()
			state = string(is)
		}
		states[state]++
	}
	return states, s.ledger.quotaGauges()
}

func (l *ledger) quotaGauges() []quotaGauge {
	var projects []*project
	for _, p := range l.projects {
		projects = append(projects, p)
	}
	slices.SortFunc(projects, func(a, b *project) int { return cmp.Compare(a.object.Name, b.object.Name) })
	var all []quotaGauge
	for _, p := range projects[:min(len(projects), maxProjects)] {
		name := p.object.Name
		for _, q := range p.object.Spec.Quota {
			all = append(all, quotaGauge{name, string(q.Resource), q.Kind,
				inUnits(q.Resource, l.picture.Used(name, string(q.Resource), q.Kind)), q.Guaranteed.AsApproximateFloat64()})
		}
	}
	return all
}

// inUnits of the resource itself: cores, bytes, devices.
func inUnits(resource corev1.ResourceName, n int64) float64 {
	return quantityOf(resource, n).AsApproximateFloat64()
}

// decided counts what a ledger did since it was last asked, and how long that took.
func (m *meters) decided(t tally, took time.Duration) {
	m.deciding.Observe(took.Seconds())
	m.add(t)
}

func (m *meters) planned(t tally, took time.Duration) {
	m.planning.Observe(took.Seconds())
	m.add(t)
}

func (m *meters) add(t tally) {
	for state, n := range t.decisions {
		m.decisions.WithLabelValues(string(state)).Add(float64(n))
	}
	for cause, n := range t.evictions {
		m.evictions.WithLabelValues(string(cause)).Add(float64(n))
	}
	for outcome, n := range t.promises {
		m.promises.WithLabelValues(string(outcome)).Add(float64(n))
	}
	for cause, n := range t.repairs {
		m.repairs.WithLabelValues(string(cause)).Add(float64(n))
	}
}

// wrote counts a request to write the status of an object of a kind.
func (m *meters) wrote(kind string, err error) {
	result := "written"
	switch {
	case apierrors.IsConflict(err):
		result = "conflict"
	case apierrors.IsNotFound(err):
		result = "gone"
	case err != nil:
		result = "failed"
	}
	m.writes.WithLabelValues(kind, result).Inc()
}

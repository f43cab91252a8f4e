// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// metered is a scheduler without a cluster, and what its metrics say.
type metered struct {
	*testing.T
	*scheduler
	registry *prometheus.Registry
}

func newMetered(t *testing.T) *metered {
	m := &metered{t, &scheduler{ledger: newLedger()}, prometheus.NewRegistry()}
	m.meters = newMeters(m.scheduler)
	for range 2 { // as two schedulers of one process do
		if err := m.meters.register(m.registry); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// pass decides, plans, and counts both.
func (m *metered) pass(now time.Time) {
	m.ledger.decide(now)
	m.ledger.plan()
	m.meters.decided(m.ledger.takeTally(), time.Millisecond)
	m.meters.planned(m.ledger.takeTally(), time.Millisecond)
}

// says is every metric with its labels; of histograms the count.
func (m *metered) says() map[string]float64 {
	m.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		m.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.Metric {
			var labels []string
			for _, l := range metric.Label {
				labels = append(labels, l.GetValue())
			}
			name := strings.TrimSpace(fmt.Sprint(strings.TrimPrefix(family.GetName(), "slipway_"), " ", strings.Join(labels, ",")))
			all[name] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func (m *metered) expect(want map[string]float64) {
	m.Helper()
	got := m.says()
	for name := range got {
		if _, asked := want[name]; !asked && !strings.HasSuffix(name, "_seconds") {
			want[name] = 0
		}
	}
	for name := range got {
		if strings.HasSuffix(name, "_seconds") {
			delete(got, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestMetricsBeforeTheFirstDecision(t *testing.T) {
	m := newMetered(t)
	m.set(newGang("a", 1, 1))
	if got := m.says(); len(got) != 2 || got["scheduler_decision_duration_seconds"] != 0 {
		t.Errorf("a scheduler that does not lead says %v", got)
	}
}

func TestMetricsOfPromises(t *testing.T) {
	m := newMetered(t)
	limited := newGang("limited", 4, 1)
	limited.Spec.MaxRunTime = &metav1.Duration{Duration: time.Hour}
	m.set(newNode("n1", 8, 4))
	m.set(limited)
	m.pass(noon)
	m.set(newGang("waits", 4, 1))
	m.set(newGang("never", 5, 1))
	m.pass(noon)
	m.expect(map[string]float64{
		"scheduler_decisions_total Placed": 1, "scheduler_decisions_total Waiting": 1, "scheduler_decisions_total Never": 1,
		"scheduler_gangs Placed": 1, "scheduler_gangs Waiting": 1, "scheduler_gangs Never": 1,
	})
	m.pass(noon.Add(2 * time.Hour)) // it runs on
	m.remove(limited)
	m.pass(noon.Add(2 * time.Hour))
	m.expect(map[string]float64{
		"scheduler_decisions_total Placed": 2, "scheduler_decisions_total Waiting": 1, "scheduler_decisions_total Never": 1,
		"scheduler_gangs Placed": 1, "scheduler_gangs Never": 1,
		"scheduler_promises_total put_off": 1, "scheduler_promises_total kept": 1,
	})
	if got := m.says(); got["scheduler_decision_duration_seconds"] != 4 || got["scheduler_plan_duration_seconds"] != 4 {
		t.Errorf("four passes are counted as %v", got)
	}
}

func TestMetricsOfEvictionsAndProjects(t *testing.T) {
	m := newMetered(t)
	one := quantities(1, 0)[corev1.ResourceCPU]
	m.set(&slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "lab", UID: "lab", Generation: 1}, Spec: slipwayv1.ProjectSpec{
		Quota: []slipwayv1.Quota{{Resource: corev1.ResourceCPU, Guaranteed: one}}}})
	m.set(newNode("n1", 8, 4))
	low, high := newGang("low", 4, 1), newGang("high", 4, 1)
	low.Spec.Project, high.Spec.Project, high.Spec.Priority = "lab", "lab", 7
	refused := newGang("refused", 1, 1)
	refused.Spec.PodSets = append(refused.Spec.PodSets, refused.Spec.PodSets...)
	m.set(low)
	m.pass(noon)
	m.set(high)
	m.set(refused)
	m.pass(noon)
	m.expect(map[string]float64{
		"scheduler_decisions_total Placed": 2, "scheduler_decisions_total Waiting": 2, "scheduler_decisions_total Refused": 1,
		"scheduler_gangs Placed": 1, "scheduler_gangs Waiting": 1, "scheduler_gangs Never": 1,
		"scheduler_evictions_total priority": 1,
		"project_used ,lab,cpu":              4, "project_guaranteed ,lab,cpu": 1,
	})
}

func TestMetricsNameSoManyProjects(t *testing.T) {
	m := newMetered(t)
	one := quantities(1, 0)[corev1.ResourceCPU]
	for i := range maxProjects + 5 {
		name := fmt.Sprintf("p%04d", i)
		m.set(&slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1}, Spec: slipwayv1.ProjectSpec{
			Quota: []slipwayv1.Quota{{Resource: corev1.ResourceCPU, Guaranteed: one}}}})
	}
	if quotas := m.ledger.quotaGauges(); len(quotas) != maxProjects || quotas[maxProjects-1].project != "p0999" {
		t.Errorf("%d projects are named", len(quotas))
	}
}

func TestMetricsOfWrites(t *testing.T) {
	m := newMetered(t)
	resource := schema.GroupResource{Resource: "gangs"}
	for _, err := range []error{nil, nil, apierrors.NewConflict(resource, "a", nil), apierrors.NewNotFound(resource, "a"), apierrors.NewInternalError(errors.New("broken"))} {
		m.meters.wrote("Gang", err)
	}
	m.expect(map[string]float64{
		"scheduler_status_writes_total Gang,written": 2, "scheduler_status_writes_total Gang,conflict": 1,
		"scheduler_status_writes_total Gang,gone": 1, "scheduler_status_writes_total Gang,failed": 1,
	})
}

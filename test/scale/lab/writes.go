// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Writes counts requests that changed something, by resource or
// resource/subresource, as the API server itself counts them.
type Writes map[string]int

// Total of all resources.
func (w Writes) Total() int {
	total := 0
	for _, n := range w {
		total += n
	}
	return total
}

// Since is what was written after an earlier count.
func (w Writes) Since(earlier Writes) Writes {
	news := Writes{}
	for resource, n := range w {
		if n > earlier[resource] {
			news[resource] = n - earlier[resource]
		}
	}
	return news
}

// Per is the writes for each of so many, the most frequent resource first.
func (w Writes) Per(count int) string {
	resources := slices.SortedFunc(maps.Keys(w), func(a, b string) int { return w[b] - w[a] })
	var parts []string
	for _, resource := range resources {
		parts = append(parts, fmt.Sprintf("%s %.2f", resource, float64(w[resource])/float64(count)))
	}
	return strings.Join(parts, ", ")
}

// requestTotal is a line of https://kubernetes.io/docs/reference/instrumentation/metrics/.
var (
	requestTotal = regexp.MustCompile(`(?m)^apiserver_request_total\{(.*)\} (\S+)$`)
	label        = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// writing are the verbs, as that metric has them, of requests that change something.
var writing = []string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"}

// parseWrites reads the API server's metrics. Leases are left out: processes
// renew them whatever happens.
func parseWrites(metrics string) (Writes, error) {
	writes := Writes{}
	for _, line := range requestTotal.FindAllStringSubmatch(metrics, -1) {
		labels := map[string]string{}
		for _, pair := range label.FindAllStringSubmatch(line[1], -1) {
			labels[pair[1]] = pair[2]
		}
		if !slices.Contains(writing, labels["verb"]) || !strings.HasPrefix(labels["code"], "2") || labels["resource"] == "leases" {
			continue
		}
		count, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", line[0], err)
		}
		name := labels["resource"]
		if sub := labels["subresource"]; sub != "" {
			name += "/" + sub
		}
		writes[name] += int(count)
	}
	return writes, nil
}

// Writes up to this moment.
func (l *Lab) Writes(ctx context.Context) (Writes, error) {
	metrics, err := l.metrics(ctx)
	if err != nil {
		return nil, err
	}
	return parseWrites(metrics)
}

// processor is a line of the same.
var processor = regexp.MustCompile(`(?m)^process_cpu_seconds_total (\S+)$`)

// Processor time that the API server has used up to this moment, and etcd within it.
func (l *Lab) Processor(ctx context.Context) (time.Duration, error) {
	metrics, err := l.metrics(ctx)
	if err != nil {
		return 0, err
	}
	return parseProcessor(metrics)
}

func parseProcessor(metrics string) (time.Duration, error) {
	line := processor.FindStringSubmatch(metrics)
	if line == nil {
		return 0, errors.New("the API server does not tell its processor time")
	}
	seconds, err := strconv.ParseFloat(line[1], 64)
	if err != nil {
		return 0, fmt.Errorf("reading %q: %w", line[0], err)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

func (l *Lab) metrics(ctx context.Context) (string, error) {
	text, err := l.rest.Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return "", fmt.Errorf("reading metrics of the API server: %w", err)
	}
	return string(text), nil
}

// calm is how long nothing may be written until everything counts as written.
const calm = time.Second

// SettledWrites are those once nothing more is written: events and the status of
// jobs follow what was done. A count cannot be watched, so it is read again and again.
func (l *Lab) SettledWrites(ctx context.Context) (Writes, error) {
	ticker := time.NewTicker(calm)
	defer ticker.Stop()
	last, err := l.Writes(ctx)
	for err == nil {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		var now Writes
		if now, err = l.Writes(ctx); err == nil && maps.Equal(now, last) {
			return now, nil
		}
		last = now
	}
	return nil, err
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestAPISchemaRefuses what Go's types cannot hold. One such object is enough for every
// list of its kind to fail, and with it the scheduler and each command that lists.
func TestAPISchemaRefuses(t *testing.T) {
	r := newRig(t)
	gang := func(spec string) string {
		return "{apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: g}, spec: {" + spec + ", podSets: [{name: w, count: 1}]}}"
	}
	set := func(fields string) string {
		return "{apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: g}, spec: {podSets: [{name: w, count: 1, " + fields + "}]}}"
	}
	quota := func(fields string) string {
		return "{apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: " + r.ns + "-p}, spec: {quota: [{" + fields + "}]}}"
	}
	parent := func(name string) string {
		return "{apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: " + r.ns + "-p}, spec: {parent: " + name + "}}"
	}
	for object, field := range map[string]string{
		parent("No Such"):                                      "spec.parent: Invalid value: \"No Such\": no project can have that name",
		parent(r.ns + "-p"):                                    "spec.parent: Invalid value: spec.parent names the project itself",
		gang(`maxRunTime: soon`):                               "spec.maxRunTime",
		gang(`maxRunTime: ""`):                                 "spec.maxRunTime",
		gang(`maxRunTime: 1000000000000h`):                     "spec.maxRunTime",
		gang(`maxRunTime: 2562048h`):                           "spec.maxRunTime",
		gang(`maxRunTime: 1d`):                                 "spec.maxRunTime",
		gang(`maxRunTime: 1 h`):                                "spec.maxRunTime",
		gang(`maxRunTime: -1h`):                                "spec.maxRunTime",
		gang(`minRunTime: -1ns`):                               "spec.minRunTime",
		gang(`minRunTime: "7"`):                                "spec.minRunTime",
		gang(`lastCheckpoint: "2026-01-02t15:04:05z"`):         "spec.lastCheckpoint",
		gang(`lastCheckpoint: "2026-02-30T15:04:05Z"`):         "spec.lastCheckpoint",
		gang(`lastCheckpoint: "2026-01-02T15:04:60Z"`):         "spec.lastCheckpoint",
		gang(`priority: 5000000000`):                           "spec.priority",
		set(`minCount: -5000000000`):                           "spec.podSets[0].minCount",
		set(`topology: {slice: {label: a, size: 5e9}}`):        "spec.podSets[0].topology.slice.size",
		set(`requests: {cpu: "1e1.5"}`):                        "spec.podSets[0].requests.cpu",
		set(`requests: {cpu: "1e2147483648"}`):                 "spec.podSets[0].requests.cpu",
		quota(`resource: nvidia gpu, guaranteed: 1`):           "spec.quota[0].resource",
		quota(`resource: cpu, guaranteed: "1e99999999999999"`): "spec.quota[0].guaranteed",
		quota(`resource: cpu, guaranteed: -1`):                 "spec.quota[0].guaranteed",
		quota(`resource: cpu, guaranteed: "-1m"`):              "guaranteed is negative; use zero or more",
		quota(`resource: cpu, guaranteed: 0, limit: "-1"`):     "limit is negative; use zero or more, or leave it out",
		quota(`resource: x/gpu, guaranteed: "0.5"`):            "spec.quota[0].guaranteed: Invalid value: guaranteed is no whole number",
		quota(`resource: x/gpu, guaranteed: "500m"`):           "guaranteed is no whole number, and nobody can ask for a part of a device; use one without a unit",
		quota(`resource: x/gpu, guaranteed: 1, limit: "1.5"`):  "spec.quota[0].limit: Invalid value: limit is no whole number",
		"{apiVersion: slipway.dev/v1alpha1, kind: Workspace, metadata: {name: w}, spec: {image: i, idleAfter: later}}": "spec.idleAfter",
	} {
		o := manifest(t, r.ns, object)
		if err := r.client.Create(t.Context(), o); err == nil {
			t.Errorf("%s is accepted", object)
			r.delete(o)
		} else if !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v; want the field %s", object, err, field)
		} else if strings.HasSuffix(field, "RunTime") && !strings.Contains(err.Error(), "such as 90m or 36h") {
			t.Errorf("%s: %v; want what to write instead", object, err)
		}
	}
}

// TestAPISchemaAccepts what Go reads.
func TestAPISchemaAccepts(t *testing.T) {
	r := newRig(t)
	for _, fields := range []string{
		"maxRunTime: 0s", `maxRunTime: "0"`, "maxRunTime: +1.5h30m.5s", "maxRunTime: 2562047h47m", "minRunTime: 3µs7us1ns",
		`lastCheckpoint: "2026-01-02T15:04:05Z"`, `lastCheckpoint: "2026-01-02T15:04:05.123456789-07:30"`,
	} {
		o := manifest(t, r.ns, "{apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {generateName: g-}, spec: {"+fields+", podSets: [{name: w, count: 1, requests: {cpu: 1m}}]}}")
		r.create(o)
	}
	var gangs slipwayv1.GangList
	r.must(r.client.List(t.Context(), &gangs))
	quota := manifest(t, "", "{apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: "+r.ns+"-p}, spec: {quota: "+
		`[{resource: cpu, guaranteed: "1e-3", limit: "+.5"}, {resource: example.com/a_b, guaranteed: 0, limit: "2E+1"},
			{resource: x/a, guaranteed: "+2.0", limit: "1.5k"}, {resource: x/b, guaranteed: "2e-0", limit: 2Ki}]}}`)
	r.create(quota)
	r.delete(quota)
}

func manifest(t *testing.T, namespace, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if o.GetKind() != "Project" {
		o.SetNamespace(namespace)
	}
	return o
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"slipway.dev/slipway/api/crds"
)

// kind is what is read of a CustomResourceDefinition.
type kind struct {
	Spec struct {
		Group, Scope string
		Names        struct{ Plural string }
	}
}

// documents reads all YAML files of a folder.
func documents[T any](t *testing.T, files fs.FS) []T {
	t.Helper()
	var all []T
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096); ; {
			var one T
			if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("reading %s: %v", name, err)
			}
			all = append(all, one)
		}
	}
	return all
}

// aggregated is what Kubernetes adds to one of its own roles.
func aggregated(t *testing.T, to string) []rbacv1.PolicyRule {
	t.Helper()
	var rules []rbacv1.PolicyRule
	for _, role := range documents[rbacv1.ClusterRole](t, Files) {
		if role.Labels["rbac.authorization.k8s.io/aggregate-to-"+to] == "true" {
			rules = append(rules, role.Rules...)
		}
	}
	return rules
}

// verbs are what the rules allow with a resource, in order.
func verbs(rules []rbacv1.PolicyRule, group, resource string) []string {
	var all []string
	for _, rule := range rules {
		if slices.Contains(rule.APIGroups, group) && slices.Contains(rule.Resources, resource) {
			all = append(all, rule.Verbs...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestPeople: whoever may see or change a namespace may see or change what of
// ours is in it.
func TestPeople(t *testing.T) {
	read := []string{"get", "list", "watch"}
	write := []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	for _, k := range documents[kind](t, crds.Files) {
		plural, view, edit := k.Spec.Names.Plural, read, write
		switch {
		case k.Spec.Scope == "Cluster": // an administrator's to write
			edit = read
		case plural == "gangs": // made of jobs
			edit = read
		case plural == "models":
			edit = append(slices.Clone(write[:7]), "use", "watch")
		}
		for role, want := range map[string][]string{"view": view, "edit": edit, "admin": edit} {
			if diff := cmp.Diff(want, verbs(aggregated(t, role), k.Spec.Group, plural)); diff != "" {
				t.Errorf("%s of %s.%s (-want +got):\n%s", role, plural, k.Spec.Group, diff)
			}
		}
	}
}

// TestPeopleScale: people stop a model with kubectl scale.
func TestPeopleScale(t *testing.T) {
	for role, want := range map[string][]string{"view": {"get"}, "edit": {"get", "patch", "update"}, "admin": {"get", "patch", "update"}} {
		if diff := cmp.Diff(want, verbs(aggregated(t, role), "slipway.dev", "models/scale")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", role, diff)
		}
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"slipway.dev/slipway/internal/batch"
	"slipway.dev/slipway/internal/frontdoor"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/serving"
	"slipway.dev/slipway/internal/training"
)

var update = flag.Bool("update", false, "write api/rbac/platform.yaml")

const header = `# The rights of the platform: what each of its rooms says that it needs, and
# nothing more. Written by: go test ./internal/platform -update
`

// TestRole holds the role that is installed against what the rooms need.
func TestRole(t *testing.T) {
	const path = "../../api/rbac/platform.yaml"
	role := rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: "slipway:platform"},
		Rules:      slices.Concat(rules(), scheduler.Rules(), training.Rules(), batch.Rules(), serving.Rules(), frontdoor.Rules()),
	}
	content, err := yaml.Marshal(role)
	if err != nil {
		t.Fatal(err)
	}
	want := header + string(content)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("api/rbac/platform.yaml is not what the rooms need; run this test with -update (-want +got):\n%s", diff)
	}
}

// TestNoWildcards keeps the role from growing into an administrator's.
func TestNoWildcards(t *testing.T) {
	for _, rule := range slices.Concat(rules(), scheduler.Rules(), training.Rules(), batch.Rules(), serving.Rules(), frontdoor.Rules()) {
		if slices.Contains(rule.Verbs, "*") || slices.Contains(rule.Resources, "*") || slices.Contains(rule.APIGroups, "*") {
			t.Errorf("rule %v uses a wildcard", rule)
		}
		if slices.Contains(rule.Resources, "secrets") {
			t.Errorf("rule %v reads secrets", rule)
		}
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/api/rbac"
	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// rulesOf a role for people.
func rulesOf(t *testing.T, role string) []rbacv1.PolicyRule {
	t.Helper()
	content, err := rbac.Files.ReadFile("people.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096); ; {
		var one rbacv1.ClusterRole
		if err := decoder.Decode(&one); err != nil {
			t.Fatalf("looking for %s: %v", role, err)
		}
		if one.Name == role {
			return one.Rules
		}
	}
}

// TestAPIRolesOfPeople: who may see too little is told the command that gives the role by which
// it works.
func TestAPIRolesOfPeople(t *testing.T) {
	config := kubetest.Start(t)
	x := newTerminal(t)
	x.node(x.namespace, corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("8")})
	as := func(user string, rules []rbacv1.PolicyRule) *terminal {
		y := *x
		access := kubetest.As(config, user)
		if rules != nil {
			access = kubetest.Limited(t, config, user, rules)
		}
		y.file = kubetest.Kubeconfig(t, access, x.namespace)
		return &y
	}
	guest := as(x.namespace+"-guest", nil)
	binds := func(role string) string {
		return "; an administrator allows it with: slipway kubectl create clusterrolebinding " + x.namespace + "-guest-" + strings.ReplaceAll(role, ":", "-") +
			" --clusterrole " + role + " --user " + x.namespace + "-guest"
	}
	guest.refuse("", binds("slipway:view"), "queue")
	guest.refuse("", binds("slipway:observe"), "top", "nodes")
	guest.refuse("", binds("slipway:observe"), "simulate")
	guest.refuse("", binds("slipway:observe"), "ps", "-A")
	guest.refuse("", "you may not get pods in namespace "+x.namespace+"; an administrator allows it with: slipway kubectl create rolebinding "+
		x.namespace+"-guest-view -n "+x.namespace+" --clusterrole view --user "+x.namespace+"-guest", "why", "x")

	viewer := as(x.namespace+"-viewer", rulesOf(t, "slipway:view"))
	viewer.must("nothing waits", "queue", "-n", x.namespace)
	waits := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Namespace: x.namespace, Name: "waits"}, Spec: slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{Name: "w", Count: 1}}}}
	home := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: x.namespace}}
	label := fmt.Sprintf(`{"metadata":{"labels":{%q:"lab"}}}`, slipwayv1.LabelProject)
	if err := errors.Join(x.client.Create(t.Context(), waits), x.client.Patch(t.Context(), home, client.RawPatch(types.MergePatchType, []byte(label)))); err != nil {
		t.Fatal(err)
	}
	viewer.must(x.namespace+"  lab ", "queue", "-n", x.namespace)
	if err := x.client.Delete(t.Context(), waits); err != nil {
		t.Fatal(err)
	}

	observer := as(x.namespace+"-observer", rulesOf(t, "slipway:observe"))
	observer.must("nothing waits", "queue", "-n", x.namespace)
	observer.must(x.namespace, "top", "nodes", x.namespace)
	observer.must("is well, and takes whoever fits", "why", "node/"+x.namespace)
	observer.must("by policy slipway", "simulate", "--until", "1h")
	observer.must("", "ps", "-A")
}

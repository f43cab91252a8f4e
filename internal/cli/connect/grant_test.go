// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestGrant(t *testing.T) {
	const by, ask = "an administrator allows it with: slipway kubectl create ", "ask for a role that allows it"
	for said, want := range map[string]string{
		`User "ada" cannot list resource "nodes" in API group "" at the cluster scope`:                             by + "clusterrolebinding ada-slipway-observe --clusterrole slipway:observe --user ada",
		`User "ada" cannot list resource "gangs" in API group "slipway.dev" at the cluster scope`:                  by + "clusterrolebinding ada-slipway-view --clusterrole slipway:view --user ada",
		`User "ada" cannot list resource "pods" in API group "" in the namespace "team"`:                           by + "rolebinding ada-view -n team --clusterrole view --user ada",
		`User "it's" cannot create resource "pytorchjobs" in API group "kubeflow.org" in the namespace "a"`:        by + `rolebinding it-s-edit -n a --clusterrole edit --user 'it'\''s'`,
		`User "system:serviceaccount:a:b" cannot delete resource "jobs" in API group "batch" in the namespace "a"`: by + "rolebinding b-edit -n a --clusterrole edit --serviceaccount a:b",
		`User "ada" cannot create resource "projects" in API group "slipway.dev" at the cluster scope`:             ask,
		`User "ada" cannot list resource "secrets" in API group "" at the cluster scope`:                           ask,
		"it is kept": ask,
	} {
		if got := grant(apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "", errors.New(said))); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", said, got, want)
		}
	}
	for said, want := range map[string]string{
		`User "ada" cannot list resource "pytorchjobs" in API group "kubeflow.org" at the cluster scope`: "listing jobs: you may not list pytorchjobs.kubeflow.org of the whole cluster; " +
			by + "clusterrolebinding ada-slipway-observe --clusterrole slipway:observe --user ada",
		`User "ada" cannot list resource "pods" in API group "" in the namespace "team"`: "listing jobs: you may not list pods in namespace team; " +
			by + "rolebinding ada-view -n team --clusterrole view --user ada",
		"it is kept": `listing jobs: x is forbidden: it is kept; ask for the ClusterRole slipway:observe`,
	} {
		refused := fmt.Errorf("listing jobs: %w", apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "", errors.New(said)))
		if got := Explain(Needing(RoleObserve, refused)).Error(); got != want {
			t.Errorf("%s, of what needs more:\ngot  %s\nwant %s", said, got, want)
		}
	}
	if err := errors.New("no"); !errors.Is(Needing(RoleObserve, err), err) || Needing(RoleObserve, nil) != nil {
		t.Error("what is no refusal needs no role")
	}
	if got := grant(errors.New("no")); got != ask {
		t.Errorf("any other error: %s", got)
	}
}

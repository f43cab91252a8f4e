// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"errors"
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
	if got := grant(errors.New("no")); got != ask {
		t.Errorf("any other error: %s", got)
	}
}

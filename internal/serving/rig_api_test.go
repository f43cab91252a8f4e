// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// rig is a namespace of a real API server in which the controller runs as a user
// who has its rules and no more. The test plays everything else of Kubernetes.
type rig struct {
	*testing.T
	client client.WithWatch
	ns     string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	config := kubetest.Start(t)
	r := &rig{T: t, ns: kubetest.Namespace(t, config)}
	r.client = kubetest.Client(t, config, slipwayv1.AddToScheme)
	limited := kubetest.Limited(t, config, "serving-"+r.ns, Rules())
	sees := kubetest.Within(r.ns)
	sees.ByObject = Cache()
	mgr := kubetest.Manager(t, limited, r.client.Scheme(), sees)
	r.must(Setup(mgr, testURL))
	kubetest.Run(t, mgr)
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) create(o client.Object) {
	r.Helper()
	r.must(r.client.Create(r.Context(), o))
}

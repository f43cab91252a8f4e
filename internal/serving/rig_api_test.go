// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// longestWait is how long a test waits for what must happen.
const longestWait = 30 * time.Second

// rig is a namespace of a real API server in which the controller runs as a user
// who has its rules and no more. The test plays everything else of Kubernetes.
type rig struct {
	*testing.T
	client client.WithWatch
	ns     string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	cfg := kubetest.Start(t)
	kinds := runtime.NewScheme()
	r := &rig{T: t, ns: kubetest.Namespace(t, cfg)}
	r.must(clientgoscheme.AddToScheme(kinds))
	r.must(slipwayv1.AddToScheme(kinds))
	var err error
	r.client, err = client.NewWithWatch(cfg, client.Options{Scheme: kinds})
	r.must(err)
	r.run(r.leastPrivilege(cfg), kinds)
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// leastPrivilege is the configuration of a user who has Rules in every namespace.
func (r *rig) leastPrivilege(cfg *rest.Config) *rest.Config {
	user := "serving-" + r.ns
	r.create(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: Rules()})
	r.create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
	limited := rest.CopyConfig(cfg)
	limited.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	return limited
}

func (r *rig) run(cfg *rest.Config, kinds *runtime.Scheme) {
	r.Helper()
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:  kinds,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{r.ns: {}}, ByObject: Cache()},
		// Every test has a manager, and names of controllers are unique in a process.
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	r.must(err)
	r.must(Setup(mgr, testURL))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	r.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.Errorf("running the controller: %v", err)
		}
	})
}

func (r *rig) create(o client.Object) {
	r.Helper()
	r.must(r.client.Create(r.Context(), o))
}

// change edits an object, or its status, as the API server has it.
func change[T client.Object](r *rig, o T, do func(T), write func(context.Context, client.Object, client.Patch) error) {
	r.Helper()
	r.must(r.client.Get(r.Context(), client.ObjectKeyFromObject(o), o))
	old := o.DeepCopyObject().(client.Object)
	do(o)
	r.must(write(r.Context(), o, client.MergeFrom(old)))
}

func (r *rig) spec(ctx context.Context, o client.Object, p client.Patch) error {
	return r.client.Patch(ctx, o, p)
}

func (r *rig) status(ctx context.Context, o client.Object, p client.Patch) error {
	return r.client.Status().Patch(ctx, o, p)
}

// await returns once ok holds for the list of what is in the namespace.
func await[L client.ObjectList](r *rig, what string, list L, ok func(L) bool) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), longestWait)
	defer cancel()
	changes, err := r.client.Watch(ctx, list.DeepCopyObject().(L), client.InNamespace(r.ns))
	r.must(err)
	defer changes.Stop()
	for {
		r.must(r.client.List(ctx, list, client.InNamespace(r.ns)))
		if ok(list) {
			return
		}
		if _, open := <-changes.ResultChan(); !open {
			r.Fatalf("waiting for %s: still %+v", what, list)
		}
	}
}

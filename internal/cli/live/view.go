// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/workload"
)

// Scope is what a view shows.
type Scope struct {
	// Kind of the workloads; none is for all loose ones, see workload.Loose.
	Kind workload.Kind
	// Namespace is empty for all of them.
	Namespace string
	// Name is empty for every workload of the kind.
	Name string
}

// View shows workloads as the API server last told.
type View struct {
	scope Scope
	// stores have what is watched, one for each selection of pods.
	stores []cache.Cache
	// nodes are asked for when pods are in doubt, and not watched: there may be thousands.
	nodes   client.Reader
	changed chan struct{}
	trouble atomic.Pointer[error]
	// synced is set once everything was read.
	synced atomic.Bool
	// fail ends the view's context for a reason that does not pass.
	fail context.CancelCauseFunc
}

// Open starts to watch and returns once everything was read, or could not be
// for a reason that does not pass. The context that it returns ends with the
// given one, or for such a reason, which is then its cause.
func Open(ctx context.Context, cluster *connect.Cluster, scope Scope) (context.Context, *View, error) {
	ctx, fail := context.WithCancelCause(ctx)
	v := &View{scope: scope, nodes: cluster, changed: make(chan struct{}, 1), fail: fail}
	if err := v.start(ctx, cluster); err != nil {
		fail(err)
		return ctx, nil, err
	}
	return ctx, v, nil
}

func (v *View) start(ctx context.Context, cluster *connect.Cluster) error {
	for _, selectors := range v.scope.selectors() {
		if err := v.watch(ctx, cluster, selectors); err != nil {
			return err
		}
	}
	v.synced.Store(true)
	return nil
}

// watch what is selected, and wait until it was read.
func (v *View) watch(ctx context.Context, cluster *connect.Cluster, selectors map[client.Object]cache.ByObject) error {
	options := cache.Options{
		Scheme: cluster.Scheme(), Mapper: cluster.RESTMapper(),
		ByObject:                 selectors,
		DefaultWatchErrorHandler: v.watchFailed,
	}
	if v.scope.Namespace != "" {
		options.DefaultNamespaces = map[string]cache.Config{v.scope.Namespace: {}}
	}
	store, err := cache.New(cluster.Config, options)
	if err != nil {
		return err
	}
	v.stores = append(v.stores, store)
	for object := range selectors {
		informer, err := store.GetInformer(ctx, object)
		if err != nil {
			return err
		}
		if _, err := informer.AddEventHandler(v.handler()); err != nil {
			return err
		}
	}
	go func() {
		if err := store.Start(ctx); err != nil {
			v.fail(err)
		}
	}()
	if !store.WaitForCacheSync(ctx) {
		return context.Cause(ctx)
	}
	return nil
}

// selectors hold the watches of each store to what the view shows.
func (s Scope) selectors() []map[client.Object]cache.ByObject {
	switch {
	case s.Kind.IsPod():
		return []map[client.Object]cache.ByObject{{&corev1.Pod{}: {Field: fields.OneTermEqualSelector("metadata.name", s.Name)}}}
	case s.Kind.IsLoose() && s.Name != "": // No selector tells what holds a pod.
		return []map[client.Object]cache.ByObject{{&corev1.Pod{}: {}}}
	case s.Kind.IsLoose():
		var all []map[client.Object]cache.ByObject
		for _, those := range workload.Scheduled() {
			all = append(all, map[client.Object]cache.ByObject{
				&corev1.Pod{}: {Field: fields.Set(those.Fields).AsSelector(), Label: labels.Set(those.Labels).AsSelector()},
			})
		}
		return all
	}
	named, belonging := fields.Everything(), labels.NewSelector()
	operator, values := selection.Exists, []string(nil)
	if s.Name != "" {
		named = fields.OneTermEqualSelector("metadata.name", s.Name)
		operator, values = selection.Equals, []string{s.Name}
	}
	if requirement, err := labels.NewRequirement(s.Kind.Label, operator, values); err == nil {
		belonging = belonging.Add(*requirement)
	}
	return []map[client.Object]cache.ByObject{{
		s.Kind.New():      {Field: named},
		&slipwayv1.Gang{}: {Label: belonging},
		&corev1.Pod{}:     {Label: belonging},
	}}
}

func (v *View) handler() toolscache.ResourceEventHandlerFuncs {
	notify := func() {
		v.trouble.Store(nil)
		v.signal()
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}
}

func (v *View) signal() {
	select {
	case v.changed <- struct{}{}:
	default:
	}
}

// watchFailed: the watch itself tries again with growing pauses. What trying
// again cannot help ends the view, but only at its beginning: an API server that
// was started again refuses everybody until it has read its roles.
func (v *View) watchFailed(_ context.Context, _ *toolscache.Reflector, err error) {
	var transport *url.Error
	refused := apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err)
	switch {
	case refused && !v.synced.Load():
		v.fail(err)
	case refused, errors.As(err, &transport):
		v.trouble.Store(&err)
		v.signal()
	}
}

// Changed gives a value after something changed, one for any number of changes.
func (v *View) Changed() <-chan struct{} { return v.changed }

// Trouble is why the picture is old just now, or nil.
func (v *View) Trouble() error {
	if err := v.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// All workloads that the view shows.
func (v *View) All(ctx context.Context) ([]workload.Workload, error) {
	all, err := v.list(ctx)
	if err != nil {
		return nil, err
	}
	_ = workload.Listen(ctx, v.nodes, all) // the watches say themselves when the cluster does not answer
	return all, nil
}

func (v *View) list(ctx context.Context) ([]workload.Workload, error) {
	if v.scope.Kind.IsLoose() {
		var all []corev1.Pod
		for _, store := range v.stores {
			var pods corev1.PodList
			if err := store.List(ctx, &pods, client.InNamespace(v.scope.Namespace)); err != nil {
				return nil, err
			}
			all = append(all, pods.Items...)
		}
		return workload.Loose(all), nil
	}
	return workload.List(ctx, v.stores[0], v.scope.Kind, v.scope.Namespace)
}

// One workload that the view shows, nil when there is none.
func (v *View) One(ctx context.Context) (*workload.Workload, error) {
	w, err := workload.Get(ctx, v.stores[0], v.scope.Kind, v.scope.Namespace, v.scope.Name)
	if apierrors.IsNotFound(err) || errors.As(err, new(workload.NoneError)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	one := []workload.Workload{w}
	_ = workload.Listen(ctx, v.nodes, one)
	return &one[0], nil
}

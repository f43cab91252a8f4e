// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/manifest"
	"slipway.dev/slipway/internal/cli/workload"
	"slipway.dev/slipway/internal/podset"
)

// fieldOwner of what is applied: what a later manifest leaves out is removed.
const fieldOwner = client.FieldOwner("slipway")

// applyFiles applies manifests that people have and returns what the cluster
// made of them, unless it is only asked. With several objects the cluster checks all of them before the
// first is changed.
func (a *app) applyFiles(ctx context.Context, files []string, m making) ([]outcome, error) {
	scheme, err := connect.NewScheme()
	if err != nil {
		return nil, err
	}
	read, err := manifest.Read(files, a.Stdin, scheme)
	if err != nil {
		return nil, err
	}
	a.warnOfTerms(read)
	if m.clientOnly() {
		return nil, a.report(m, outcomes("applied", plain(read))...)
	}
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return nil, err
	}
	for _, object := range read {
		if err := a.settleNamespace(cluster, object); err != nil {
			return nil, err
		}
	}
	a.warnOfAbsent(ctx, cluster, read)
	if len(read) > 1 && m.dryRun == "none" {
		if err := check(ctx, cluster, read); err != nil {
			return nil, err
		}
	}
	return a.applyAll(ctx, cluster, m, read)
}

// warnOfTerms of jobs that will not be understood as they are written, before they are queued.
func (a *app) warnOfTerms(read []manifest.Object) {
	for _, object := range read {
		if kind, known := workload.KindOf(object); !known || kind.Serves {
			continue
		}
		for _, line := range slices.Concat(podset.TermProblems(object), podset.TermWarnings(object)) {
			fmt.Fprintf(a.Stderr, "warning: %s: %s\n", reference(object), line)
		}
	}
}

// applyAll reports what was done also when not all could be.
func (a *app) applyAll(ctx context.Context, cluster *connect.Cluster, m making, read []manifest.Object) ([]outcome, error) {
	var done []outcome
	for _, object := range read {
		verb, err := apply(ctx, m.client(cluster), object.Unstructured)
		if err != nil {
			return nil, errors.Join(a.report(m, done...), object.Place(err))
		}
		done = append(done, outcome{object.Unstructured, verb})
	}
	return done, a.report(m, done...)
}

func plain(read []manifest.Object) []client.Object {
	var objects []client.Object
	for _, object := range read {
		objects = append(objects, object.Unstructured)
	}
	return objects
}

// client makes nothing in a dry run.
func (m making) client(cluster *connect.Cluster) client.Client {
	if m.dryRun == "none" {
		return cluster.Client
	}
	return client.NewDryRunClient(cluster.Client)
}

// check lets the cluster look at every object. What is not found may be in the
// same files: a namespace, or a kind.
func check(ctx context.Context, cluster *connect.Cluster, read []manifest.Object) error {
	for _, object := range read {
		_, err := apply(ctx, client.NewDryRunClient(cluster.Client), object.DeepCopy())
		if err != nil && !apierrors.IsNotFound(err) {
			return object.Place(err)
		}
	}
	return nil
}

// settleNamespace puts an object without one into the command's namespace and
// refuses to guess where the two differ.
func (a *app) settleNamespace(cluster *connect.Cluster, object manifest.Object) error {
	namespaced, err := cluster.IsObjectNamespaced(object)
	if err != nil {
		return object.Place(err)
	}
	switch own := object.GetNamespace(); {
	case !namespaced:
	case own == "":
		object.SetNamespace(cluster.Namespace)
	case a.cluster.Namespace != "" && own != a.cluster.Namespace:
		return fmt.Errorf("%s %s is for namespace %s and --namespace says %s; leave one of them out", object.GetKind(), object.GetName(), own, a.cluster.Namespace)
	}
	return nil
}

// apply returns what it did: created, configured or unchanged.
func apply(ctx context.Context, c client.Client, object *unstructured.Unstructured) (string, error) {
	found := &unstructured.Unstructured{}
	found.SetGroupVersionKind(object.GroupVersionKind())
	err := c.Get(ctx, client.ObjectKeyFromObject(object), found)
	if client.IgnoreNotFound(err) != nil {
		return "", err
	}
	verb := "configured"
	if err != nil {
		verb = "created"
	}
	if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), fieldOwner, client.ForceOwnership); err != nil {
		return "", err
	}
	if verb == "configured" && object.GetResourceVersion() == found.GetResourceVersion() {
		verb = "unchanged"
	}
	return verb, nil
}

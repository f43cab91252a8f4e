// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// TestAPIProjectInUse is not deleted but by who says so: with it would go what protects the
// gangs that run in it.
func TestAPIProjectInUse(t *testing.T) {
	config := kubetest.Start(t)
	c := kubetest.Client(t, config, slipwayv1.AddToScheme)
	kubetest.ApplyPolicies(t, c, "projects.yaml")
	for name, tt := range map[string]struct {
		status slipwayv1.ProjectStatus
		words  string
	}{
		"one":   {slipwayv1.ProjectStatus{Placed: 1, Waiting: 2}, "project one is in use: 1 of its gangs runs, and without it"},
		"some":  {slipwayv1.ProjectStatus{Placed: 3}, "project some is in use: 3 of its gangs run, and without it"},
		"above": {slipwayv1.ProjectStatus{Usage: []slipwayv1.Usage{{Resource: "cpu", Used: resource.MustParse("1500m")}}}, "project above is in use: gangs of projects below it run"},
		"idle":  {slipwayv1.ProjectStatus{Waiting: 2, Usage: []slipwayv1.Usage{{Resource: "cpu", Used: resource.MustParse("0")}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: name}}
			if err := c.Create(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			p.Status = tt.status
			if err := c.Status().Update(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			// The API server, told of the policy just before, follows it in a moment.
			untilDeletes(t, c, p, func(err error) bool {
				return tt.words == "" && err == nil ||
					apierrors.IsForbidden(err) && strings.Contains(err.Error(), tt.words) && strings.Contains(err.Error(), "annotate project "+name)
			})
			if tt.words != "" {
				kubetest.Edit(t, c, p, func(p *slipwayv1.Project) { p.Annotations = map[string]string{slipwayv1.AnnotationDeleteInUse: "true"} })
			}
			if err := c.Delete(t.Context(), p); err != nil {
				t.Errorf("cannot be deleted: %v", err)
			}
		})
	}
}

// untilDeletes: to delete the object would have such an outcome. That cannot be watched.
func untilDeletes(t *testing.T, c client.Client, o client.Object, ok func(error) bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(kubetest.Patience); ; {
		err := c.Delete(t.Context(), o, client.DryRunAll)
		if ok(err) {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("deleting %s: %v", o.GetName(), err)
		}
	}
}

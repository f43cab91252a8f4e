// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package top

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestOverpromised counts what is guaranteed by one project to all below it, of what it has a quota of.
func TestOverpromised(t *testing.T) {
	of := func(name, parent, what, kind, guaranteed string) Project {
		return Project{Name: name, Parent: parent, Quota: []Quota{{Resource: corev1.ResourceName(what), Kind: kind, Guaranteed: resource.MustParse(guaranteed)}}}
	}
	for name, c := range map[string]struct {
		below []Project
		want  []string
	}{
		"as much":          {[]Project{of("a", "lab", "x/gpu", "", "3"), of("b", "lab", "x/gpu", "", "1")}, nil},
		"more":             {[]Project{of("a", "lab", "x/gpu", "", "3"), of("b", "lab", "x/gpu", "", "2")}, []string{"project lab is guaranteed 4 x/gpu, and those below it 5 together: what they use above 4 is borrowed"}},
		"of another's":     {[]Project{of("a", "other", "x/gpu", "", "5")}, nil},
		"of another kind":  {[]Project{of("a", "lab", "x/gpu", "big", "5")}, nil},
		"what is not told": {[]Project{of("a", "lab", "cpu", "", "5")}, nil},
	} {
		if diff := cmp.Diff(c.want, Overpromised(append(c.below, of("lab", "", "x/gpu", "", "4")))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

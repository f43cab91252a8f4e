// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestProjectsThatCannotBeUsed say so, and so do the pods that wait for them, until the
// reason is gone.
func TestProjectsThatCannotBeUsed(t *testing.T) {
	project := func(name, parent string, generation int64) *slipwayv1.Project {
		p := limited(name, 4)
		p.Spec.Parent, p.Generation = parent, generation
		return p
	}
	c := newCluster(t, newNode("n1", 8, 4))
	c.set(project("ca", "cb", 1))
	c.set(project("cb", "ca", 1))
	c.set(project("orphan", "nowhere", 1))
	odd := limited("odd", -1)
	c.set(odd)
	for _, name := range []string{"ca", "cb", "orphan", "odd"} {
		c.add(ourPod("of-"+name, labelled(slipwayv1.LabelProject, name)))
	}
	const cycle = "project cb cannot be used: its parents form a cycle, cb → ca → cb; give one of them another parent"
	c.does("of-ca: "+cycle, "of-cb: "+cycle,
		"of-odd: project odd cannot be used: quota of nvidia.com/gpu is negative; use zero or more",
		"of-orphan: project orphan names the parent nowhere, and there is no such project; to fit, make it, or give orphan another parent: slipway kubectl edit project orphan")
	says := func(want map[string]string) {
		t.Helper()
		got := map[string]string{}
		for name := range c.ledger.projects {
			d, _ := c.ledger.projectDraft(name, noon)
			ready, event := meta.FindStatusCondition(d.status.Conditions, slipwayv1.ConditionReady), ""
			if e, news := projectEventOf(&slipwayv1.ProjectStatus{}, &d.status); news {
				event = e.Note
			}
			if ready.Status != "True" {
				got[name] = ready.Message
			}
			if event != got[name] || meta.IsStatusConditionTrue(d.status.Conditions, slipwayv1.ConditionStalled) != (got[name] != "") {
				t.Errorf("of %s the event is %q, and the conditions are %+v", name, event, d.status.Conditions)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("projects (-want +got):\n%s", diff)
		}
	}
	says(map[string]string{
		"ca":     "above it, " + cycle,
		"cb":     "its parents form a cycle, cb → ca → cb; give one of them another parent",
		"odd":    "quota of nvidia.com/gpu is negative; use zero or more",
		"orphan": "it names the parent nowhere, and there is no such project; make it, or give orphan another parent: slipway kubectl edit project orphan",
	})

	c.set(project("ca", "", 2))
	c.set(project("nowhere", "", 1))
	c.ledger.remove(odd)
	c.does("of-ca@n1", "of-cb@n1",
		"of-odd: there is no project odd; to fit, make it, or name another in the label slipway.dev/project", "of-orphan@n1")
	says(map[string]string{})
}

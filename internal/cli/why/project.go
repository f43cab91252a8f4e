// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// project explains a project: its quota, and who waits in it.
func (f *Facts) project(o *outline) {
	p := &slipwayv1.Project{}
	if err := f.Subject.decode(p); err != nil {
		o.say("cannot be read: %v", err)
		return
	}
	status := p.Status
	if f.Decided != nil {
		if now, known := f.Decided.ProjectStatus(p.Name); known {
			status = now
		}
	}
	if c := meta.FindStatusCondition(status.Conditions, slipwayv1.ConditionReady); c != nil && c.Status == metav1.ConditionFalse {
		o.say("its quota is not in force: %s", c.Message)
	}
	o.say("is below %s, with weight %d; gangs of its own: %d placed, %d waiting", cmp.Or(p.Spec.Parent, "no other project"),
		max(p.Spec.Weight, 1), status.Placed, status.Waiting)
	quotaLines(o, p, status)
	if f.Decided != nil {
		f.queue(o, p.Name)
		if more := int(status.Waiting) - len(f.Decided.Queue(p.Name)); more > 0 {
			o.say("waiting without a turn, since room alone does not let them start: %d; see: slipway queue", more)
		}
	}
}

// queue of a project, the first to start first.
func (f *Facts) queue(o *outline, project string) {
	queue := f.Decided.Queue(project)
	if len(queue) == 0 {
		return
	}
	o.say("waiting, in the order of their turns:")
	o.below(func() {
		for _, name := range queue[:min(len(queue), maxNames)] {
			f.waiter(o, name)
		}
		if more := len(queue) - maxNames; more > 0 {
			o.say("and %d more", more)
		}
	})
}

func (f *Facts) waiter(o *outline, name types.NamespacedName) {
	answer, _ := f.Decided.Answer(name)
	o.say("%s: %s", name, answer.Reason.String())
	if !answer.Start.IsZero() {
		o.below(func() { o.say("expected to start by %s", f.moment(answer.Start)) })
	}
}

// quota of a gang's project in one line for each resource.
func (f *Facts) quota(o *outline, project string) {
	for _, p := range f.Cluster.Projects {
		if p.Name == project {
			status, _ := f.Decided.ProjectStatus(project)
			quotaLines(o, p, status)
		}
	}
}

func quotaLines(o *outline, p *slipwayv1.Project, status slipwayv1.ProjectStatus) {
	for _, q := range p.Spec.Quota {
		used, borrowed, limit, over := "nothing", "", "no limit", ""
		for _, u := range status.Usage {
			if u.Resource == q.Resource && u.Kind == q.Kind {
				used = u.Used.String()
				if u.Borrowed != nil {
					borrowed = ", " + u.Borrowed.String() + " of it borrowed"
				}
				if q.Limit != nil && u.Used.Cmp(*q.Limit) > 0 {
					over = "; what runs above the limit runs on, and nothing more starts"
				}
			}
		}
		if q.Limit != nil {
			limit = "may use " + q.Limit.String()
		}
		o.say("quota: project %s is guaranteed %s %s, %s, uses %s%s%s%s", p.Name, q.Guaranteed.String(),
			resourceName(string(q.Resource), q.Kind), limit, used, borrowed, over, noRight(p, q))
	}
}

// noRight to take anything back has a project that is guaranteed something, but nothing of this.
func noRight(p *slipwayv1.Project, q slipwayv1.Quota) string {
	some := slices.ContainsFunc(p.Spec.Quota, func(q slipwayv1.Quota) bool { return !q.Guaranteed.IsZero() })
	switch {
	case !some || !q.Guaranteed.IsZero():
		return ""
	case q.Kind != "":
		return "; takes nothing back on such nodes"
	}
	return "; takes nothing back for gangs that ask for it"
}

func resourceName(resource, kind string) string {
	if kind == "" {
		return resource
	}
	return resource + " on " + kind
}

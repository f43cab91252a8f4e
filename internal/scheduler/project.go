// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/clip"
	"slipway.dev/slipway/internal/placement"
)

// project is one Project as last read.
type project struct {
	object *slipwayv1.Project
	// refused says why it cannot be followed; the queue is then as it was before.
	refused string
	// compared is when its past was last found to be as it is written.
	compared time.Time
}

// kindLabels of nodes, of which the first that a node has says what kind it is of.
var kindLabels = []string{"slipway.dev/kind", "nvidia.com/gpu.product", "amd.com/gpu.product-name", "cloud.google.com/gke-accelerator"}

func kindOf(n *corev1.Node) string {
	for _, label := range kindLabels {
		if kind := n.Labels[label]; kind != "" {
			return kind
		}
	}
	return ""
}

func queueOf(p *slipwayv1.Project) placement.Queue {
	q := placement.Queue{Name: p.Name, Parent: p.Spec.Parent, Priority: p.Spec.Priority, Weight: int64(p.Spec.Weight)}
	for _, quota := range p.Spec.Quota {
		told := placement.Quota{
			Resource: string(quota.Resource), Kind: quota.Kind,
			Guaranteed: amountOf(quota.Resource, quota.Guaranteed), Limit: placement.Unlimited,
		}
		if quota.Limit != nil {
			told.Limit = amountOf(quota.Resource, *quota.Limit)
		}
		q.Quota = append(q.Quota, told)
	}
	return q
}

func (l *ledger) setProject(p *slipwayv1.Project) bool {
	known := l.projects[p.Name]
	if known != nil && known.object.Generation == p.Generation && known.object.UID == p.UID {
		known.object = p
		return false
	}
	entry := &project{object: p}
	l.projects[p.Name] = entry
	l.follow(entry)
	l.reconsider()
	return true
}

func (l *ledger) removeProject(p *slipwayv1.Project) bool {
	known := l.projects[p.Name]
	if known == nil || known.object.UID != p.UID {
		return false
	}
	delete(l.projects, p.Name)
	delete(l.refused, p.Name)
	l.picture.DeleteQueue(p.Name)
	l.reconsider()
	return true
}

// follow a project, unless it is refused.
func (l *ledger) follow(p *project) {
	p.refused = ""
	delete(l.refused, p.object.Name)
	if err := l.picture.SetQueue(queueOf(p.object)); err != nil {
		p.refused = err.Error()
		l.refused[p.object.Name] = true
	}
}

// reconsider what was refused: a cycle may be none any more by what became of another of
// its projects. Each that can be followed may be what the next waited for.
func (l *ledger) reconsider() {
	for again := true; again; {
		again = false
		for _, name := range slices.Sorted(maps.Keys(l.refused)) {
			l.follow(l.projects[name])
			again = again || !l.refused[name]
		}
	}
}

// setNamespace follows the project of a namespace, to which gangs without one of
// their own belong.
func (l *ledger) setNamespace(name, project string) bool {
	if l.namespaces[name] == project {
		return false
	}
	if project == "" {
		delete(l.namespaces, name)
	} else {
		l.namespaces[name] = project
	}
	news := l.inNamespace(name)
	for _, e := range l.gangs {
		if e.name.Namespace == name && e.asked != nil && e.project == "" {
			e.asked.Queue = project
			news = l.picture.SetGang(*e.asked) == nil || news
		}
	}
	return news
}

// projectOfGang is the one that it names, or else its namespace's.
func (l *ledger) projectOfGang(e *entry) string {
	if e.project != "" {
		return e.project
	}
	return l.namespaces[e.name.Namespace]
}

// projectDraft is a status of a Project that is to be written.
type projectDraft struct {
	object *slipwayv1.Project
	status slipwayv1.ProjectStatus
}

// projectDraft of a project, if its status is not what it should be.
func (l *ledger) projectDraft(name string, now time.Time) (*projectDraft, bool) {
	p, counts := l.projects[name], l.counts[name]
	if p == nil {
		return nil, false
	}
	// What is not set anew is shared: this is asked of every project after each plan.
	next := p.object.Status
	next.Conditions = slices.Clone(next.Conditions)
	next.ObservedGeneration = p.object.Generation
	next.Usage = l.usageOf(p.object)
	next.Placed, next.Waiting = int32(counts.Placed), int32(counts.Waiting)
	l.projectReady(p, now).tell(&next.Conditions)
	past, is := l.newPast(p, now)
	if is {
		next.PastUsage = past
	}
	if !is && equality.Semantic.DeepEqual(&p.object.Status, &next) {
		return nil, false
	}
	return &projectDraft{p.object, next}, true
}

// usageOf a project, for each of its quotas.
func (l *ledger) usageOf(p *slipwayv1.Project) (all []slipwayv1.Usage) {
	for _, quota := range p.Spec.Quota {
		used := l.picture.Used(p.Name, string(quota.Resource), quota.Kind)
		usage := slipwayv1.Usage{Resource: quota.Resource, Kind: quota.Kind, Used: *quantityOf(quota.Resource, used)}
		if over := used - amountOf(quota.Resource, quota.Guaranteed); over > 0 {
			usage.Borrowed = quantityOf(quota.Resource, over)
		}
		all = append(all, usage)
	}
	return all
}

// inForce is the condition Ready of a project.
type inForce metav1.Condition

// projectReady says whether gangs of a project are queued by its quota, and if not, why.
func (l *ledger) projectReady(p *project, now time.Time) inForce {
	ready := inForce{Type: slipwayv1.ConditionReady, Status: metav1.ConditionTrue, Reason: "QuotaInForce",
		Message: "gangs of the project are queued by its quota", ObservedGeneration: p.object.Generation, LastTransitionTime: metav1.NewTime(now.Truncate(time.Second))}
	if p.refused != "" {
		return ready.not(reasonInvalid, p.refused)
	}
	if r := l.picture.NoQueue(p.object.Name); r != nil {
		text := "above it, " + r.Text
		if parent := p.object.Spec.Parent; parent != "" && l.projects[parent] == nil {
			text = fmt.Sprintf("it names the parent %s, and there is no such project", parent)
		}
		if r.Remedy != "" {
			text += "; " + r.Remedy
		}
		return ready.not(string(r.Code), text)
	}
	return ready
}

func (r inForce) not(reason, message string) inForce {
	r.Status, r.Reason, r.Message = metav1.ConditionFalse, reason, clip.Text(message, maxMessage)
	return r
}

// tell the conditions, of which Stalled is there only where the project is not ready.
func (r inForce) tell(conditions *[]metav1.Condition) {
	meta.SetStatusCondition(conditions, metav1.Condition(r))
	if r.Status == metav1.ConditionTrue {
		meta.RemoveStatusCondition(conditions, slipwayv1.ConditionStalled)
		return
	}
	r.Type, r.Status = slipwayv1.ConditionStalled, metav1.ConditionTrue
	meta.SetStatusCondition(conditions, metav1.Condition(r))
}

// changedProjects are those whose status is to be written.
func (l *ledger) changedProjects(now time.Time) []types.NamespacedName {
	var names []types.NamespacedName
	for name := range l.projects {
		if _, changed := l.projectDraft(name, now); changed {
			names = append(names, types.NamespacedName{Name: name})
		}
	}
	return names
}

// writeProject brings the status of a project up to date, in the version that was last
// seen. The rest of the project is left out: the API server takes it from what it has.
func (w writer) writeProject(ctx context.Context, name string) error {
	w.mu.Lock()
	d, changed := w.ledger.projectDraft(name, time.Now())
	w.mu.Unlock()
	if !changed {
		return nil
	}
	p := &slipwayv1.Project{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: d.object.UID, ResourceVersion: d.object.ResourceVersion},
		Status:     d.status,
	}
	err := w.client.Status().Update(ctx, p)
	w.meters.wrote("Project", err)
	if err != nil {
		return fmt.Errorf("writing the status of project %s: %w", name, err)
	}
	if e, news := projectEventOf(&d.object.Status, &d.status); news {
		w.events.Eventf(p, nil, e.Type, e.Reason, e.Action, "%s", e.Note)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if known := w.ledger.projects[name]; known != nil && known.object.UID == p.UID && newer(p.ResourceVersion, known.object.ResourceVersion) {
		known.object = p
	}
	return nil
}

// quantityOf is the inverse of amountOf.
func quantityOf(name corev1.ResourceName, n int64) *resource.Quantity {
	switch name {
	case corev1.ResourceCPU:
		return resource.NewMilliQuantity(n, resource.DecimalSI)
	case corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		return resource.NewQuantity(n, resource.BinarySI)
	}
	return resource.NewQuantity(n, resource.DecimalSI)
}

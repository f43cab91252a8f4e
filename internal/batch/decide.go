// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// observed is everything that one decision is made from.
type observed struct {
	Job *batchv1.Job
	// Gang of the Job; nil when there is none.
	Gang *slipwayv1.Gang
	// InTheWay says who has the name that the Gang needs.
	InTheWay string
	Priority int32
	// NoClass are the priority classes that the Job names for the queue alone and that do not
	// exist; NoPodClass is the one that its pods name, if that does not.
	NoClass    []string
	NoPodClass string
	// Volumes that the pods mount, and Devices that they claim.
	Volumes podset.Volumes
	Devices podset.Devices
}

// plan is everything to do, in the order of the fields. A step that fails ends it.
type plan struct {
	// Gang to make or, when it has a UID, to patch.
	Gang *slipwayv1.Gang
	// Job to patch.
	Job *batchv1.Job
	// DropGang gives the places back.
	DropGang bool
	// Events to send once all is done.
	Events []event
}

// pass is one decision being made.
type pass struct {
	in  observed
	out plan
}

// decide what to do about a Job. It is a function of its argument alone.
func decide(in observed) plan {
	p := &pass{in: in}
	switch job := in.Job; {
	case !isQueued(job):
	case finished(job):
		p.out.DropGang = in.Gang != nil
	case isSuspended(job) && !waits(job):
		// Its pods count until they are gone, whoever has their places by then.
		if p.out.DropGang = in.Gang != nil; p.out.DropGang {
			p.emit(restsEvent())
		}
	case isSuspended(job):
		p.wait()
	default:
		p.run()
	}
	return p.out
}

// wait for places, and start when they are there and no pod from before is left.
func (p *pass) wait() {
	if problems := p.problems(); len(problems) > 0 {
		p.out.DropGang = p.in.Gang != nil
		p.block(blockedEvent(problems))
		return
	}
	p.unblock()
	reshaped := p.syncGang(p.gangSpec(left(p.in.Job)))
	switch {
	case reshaped || p.in.Gang.Status.ObservedGeneration < p.in.Gang.Generation:
	case !p.in.Gang.Status.IsPlaced():
		p.emitVerdict()
	case ending(p.in.Job) == 0:
		p.start()
	default:
		p.emit(endsFirstEvent(p.in.Job, p.in.Gang.Status.Placed()))
	}
}

// start lets the Job controller make the pods, which belong to the Gang.
func (p *pass) start() {
	job := p.in.Job.DeepCopy()
	job.Spec.Suspend = ptr.To(false)
	delete(job.Annotations, slipwayv1.AnnotationQueued)
	delete(job.Annotations, slipwayv1.AnnotationBlocked)
	if job.Spec.Template.Labels == nil {
		job.Spec.Template.Labels = map[string]string{}
	}
	job.Spec.Template.Labels[slipwayv1.LabelGang] = p.in.Gang.Name
	job.Spec.Template.Labels[slipwayv1.LabelPodSet] = podSetName
	p.out.Job = job
	p.emit(startedEvent(p.in.Gang.Status.Placed().Message))
}

// run keeps the Gang as large as the Job, and holds the Job back when the Gang has no
// places any more. One that has some still lost a node, which may come back.
func (p *pass) run() {
	if p.in.Gang == nil || !p.in.Gang.Status.IsPlaced() && len(p.in.Gang.Status.Placement) == 0 {
		p.hold()
		return
	}
	old := p.in.Gang.Spec.PodSets[0].Count
	next := p.gangSpec(old)
	next.PodSets = p.in.Gang.Spec.DeepCopy().PodSets // Where its pods may go is settled.
	// Smaller only when the pods are: which places it keeps is decided by where they are.
	next.PodSets[0].Count = max(left(p.in.Job), min(p.in.Job.Status.Active, old))
	reshaped := p.syncGang(next)
	switch {
	case reshaped || p.in.Gang.Status.ObservedGeneration < p.in.Gang.Generation:
	case !p.in.Gang.Status.IsPlaced():
		p.emitVerdict()
	default:
		p.emitGrowth()
	}
}

func (p *pass) hold() {
	job := p.in.Job.DeepCopy()
	job.Spec.Suspend = ptr.To(true)
	metav1.SetMetaDataAnnotation(&job.ObjectMeta, slipwayv1.AnnotationQueued, "true")
	p.out.Job = job
	why := "it has no place"
	if p.in.Gang != nil && p.in.Gang.Status.Placed() != nil {
		why = p.in.Gang.Status.Placed().Message
	}
	p.emit(heldEvent(why))
}

// syncGang plans the Gang as the Job now wants it, and says whether that changes what
// the scheduler was asked.
func (p *pass) syncGang(spec slipwayv1.GangSpec) bool {
	if p.in.Gang == nil {
		p.out.Gang = p.newGang(spec)
		return true
	}
	if equality.Semantic.DeepEqual(spec, p.in.Gang.Spec) {
		return false
	}
	p.out.Gang = p.in.Gang.DeepCopy()
	p.out.Gang.Spec = spec
	return true
}

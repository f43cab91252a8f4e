// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"strings"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/training/frameworks"
)

// observed is everything that one decision is made from.
type observed struct {
	Now       time.Time
	Framework frameworks.Framework
	// Job with defaults filled in, unless it has problems.
	Job frameworks.Job
	// Problems are the reasons why the spec cannot be run, a line each.
	Problems []string
	// Gang of the job; nil when there is none.
	Gang *slipwayv1.Gang
	// Pods and Services that the job controls, whatever their name; not to be changed.
	Pods     []*corev1.Pod
	Services []*corev1.Service
	// Blocked says what the job needs and cannot have.
	Blocked blocked
	// Unwatched says that it is not told of when something that blocks the job goes: a pod
	// or a service that has the name of one of its own.
	Unwatched bool
	// Volumes says which nodes reach the volume that a claim is bound to, where not
	// all do, keyed by the claim's name.
	Volumes map[string]*corev1.NodeSelector
	// Devices that one pod of each replica type claims.
	Devices map[kubeflowv1.ReplicaType][]slipwayv1.DeviceRequest
	// LostNodes are those, of the nodes that suspects asked about, that are gone
	// or unreachable.
	LostNodes sets.Set[string]
	// Priority of the job's class; nil when the class does not exist.
	Priority *int32
}

// plan is everything to do, in the order of the fields. A step that fails ends
// the plan, apart from the status, which is written in any case.
type plan struct {
	// Gang to make or, when it has a UID, to patch. First, because it carries
	// the count of restarts, which must not be lost with the pod.
	Gang *slipwayv1.Gang
	// Delete pods and services.
	Delete []deletion
	// Create pods and services, all at once.
	Create []client.Object
	// Whole says that the job is not under way, or that none of its pods is left:
	// if one creation fails the others are undone, so that no half of a gang
	// holds resources.
	Whole bool
	// DropGang gives the placement back.
	DropGang bool
	// Status to write when it differs from the job's.
	Status kubeflowv1.JobStatus
	// Hold is how long the status may wait for what else is about to come; zero is
	// not at all. Nothing but people waits for it then, and there are no events.
	Hold time.Duration
	// Deferred says that the status may wait until nobody else waits for a start.
	Deferred bool
	// Events to send once the status is written.
	Events []event
	// DeleteJob, because its time to live is over.
	DeleteJob bool
	// Wake the job up after this long; zero is never.
	Wake time.Duration
}

// deletion of exactly the object that was seen.
type deletion struct {
	Object client.Object
	// Force does not wait for the kubelet: there is none any more.
	Force bool
}

// pass is one decision being made.
type pass struct {
	in     observed
	out    plan
	now    metav1.Time
	ranks  []rank
	ledger ledger
}

// decide says what to do about a job. It is a function of its argument alone.
func decide(in observed) plan {
	p := &pass{in: in, now: metav1.NewTime(in.Now.Truncate(time.Second))}
	in.Job.Status().DeepCopyInto(&p.out.Status)
	switch {
	case finished(&p.out.Status):
		p.cleanUp()
	case len(in.Problems) > 0 && !has(&p.out.Status, kubeflowv1.JobCreated) && in.Gang == nil:
		p.refuse()
	case isSuspended(in.Job):
		p.suspend()
	case len(in.Problems) > 0:
		p.ignore()
	default:
		p.run()
	}
	p.reap()
	p.hold()
	p.out.Deferred = p.startNews()
	return p.out
}

// refuse ends a job that cannot run.
func (p *pass) refuse() {
	p.finish(kubeflowv1.JobFailed, "FailedValidation",
		strings.Join(p.in.Problems, "; ")+"; correct it and create the job again")
}

// ignore leaves a job alone that was accepted and then edited into one that
// cannot run: a slip of the pen must not cost days of training.
func (p *pass) ignore() {
	p.accept()
	p.say(ignoredEvent(p.in.Problems))
}

// run is the life of a job between its creation and its end.
func (p *pass) run() {
	p.accept()
	p.resume()
	p.survey()
	p.recall()
	p.count()
	if p.judge() || p.exceeds() {
		return
	}
	if !p.started() && p.in.Blocked.any() {
		p.block()
		return
	}
	reshaped := p.syncGang()
	if !isPlaced(p.in.Gang) {
		p.wait()
		return
	}
	p.trim()
	p.out.Whole = !p.started() || !p.underWay()
	if !p.started() && !p.start(reshaped) {
		return
	}
	p.repair()
	p.explain()
	p.condition()
}

// started says that a pod of the job is there and not on its way out.
func (p *pass) started() bool {
	for _, pod := range p.in.Pods {
		if pod.DeletionTimestamp == nil {
			return true
		}
	}
	return false
}

// recall when the job started, if the pass that made its first pods could not write
// that down: without it no limit on its time would hold.
func (p *pass) recall() {
	if !p.started() || p.out.Status.StartTime != nil {
		return
	}
	first := p.now
	for _, pod := range p.in.Pods {
		if pod.CreationTimestamp.Before(&first) {
			first = pod.CreationTimestamp
		}
	}
	p.out.Status.StartTime = &first
}

// underWay says that the job has run since it was last created or resumed.
func (p *pass) underWay() bool {
	return isTrue(&p.out.Status, kubeflowv1.JobRunning) || isTrue(&p.out.Status, kubeflowv1.JobRestarting)
}

// block keeps a job that cannot start from holding resources.
func (p *pass) block() {
	p.out.DropGang = p.in.Gang != nil
	p.out.Status.StartTime = nil
	p.explain()
}

// wait is what a job does whose gang is not placed, be it not yet or no longer.
// A placement that is still there means that a node is lost and the scheduler
// has no other: the pods stay as they are, for the node may come back. A job that
// lost its places has not started any more: activeDeadlineSeconds covers one stay, as
// for Kueue's users, whose jobs are suspended when they give way, and resumed. By the start
// the API server tells a job that has its places, and stays its project's (api/admission).
func (p *pass) wait() {
	if hasPlaces(p.in.Gang) {
		p.trim()
		p.explain()
		p.condition()
		return
	}
	for _, pod := range p.in.Pods {
		p.delete(pod, false)
	}
	p.out.Status.StartTime = nil
	if isTrue(&p.out.Status, kubeflowv1.JobRunning) {
		p.restarting(p.lostPlace())
	}
	p.explain()
}

// lostPlace says how, in the scheduler's words: who took the place is told for as long as
// the job restarts. What comes behind that, when it is expected to go on, would be told for
// as long, too, and the gang knows better by then.
func (p *pass) lostPlace() string {
	why := "its place was taken away"
	if p.in.Gang == nil {
		return why
	}
	if c := p.in.Gang.Status.Placed(); c != nil && c.Message != "" {
		how, _, _ := strings.Cut(c.Message, "; ")
		why += ": it " + how
	}
	return why
}

// start opens the gate for a gang of which nothing runs yet. It stays shut until
// the scheduler has answered the gang as it now is and every last pod is gone.
func (p *pass) start(reshaped bool) bool {
	if reshaped || len(p.in.Pods) > 0 || !coversMinimum(p.in.Gang) {
		p.explain()
		return false
	}
	if p.out.Status.StartTime == nil || !p.underWay() {
		p.out.Status.StartTime = &p.now
	}
	p.warnOfIgnored()
	return true
}

func (p *pass) delete(object client.Object, force bool) {
	if object.GetDeletionTimestamp() == nil || force {
		p.out.Delete = append(p.out.Delete, deletion{object, force})
	}
}

// wake asks for another pass after d at the latest.
func (p *pass) wake(d time.Duration) {
	p.out.Wake = sooner(p.out.Wake, max(d, time.Millisecond))
}

func (p *pass) name() string { return p.in.Job.Object().GetName() }

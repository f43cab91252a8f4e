// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/training/frameworks"
)

// world is a cluster without I/O: it carries plans out, and its methods are the
// scheduler, the kubelets and the people. Every step checks the invariants.
type world struct {
	t        testing.TB
	now      time.Time
	job      *kubeflowv1.PyTorchJob
	gang     *slipwayv1.Gang
	pods     map[string]*corev1.Pod
	services map[string]*corev1.Service
	lost     sets.Set[string]
	blocked  blocked
	// unwatched as in observed.
	unwatched bool
	priority  *int32
	events    []event
	deleted   bool
	wake      time.Duration
	// holds makes the engine hold back what it may; otherwise it writes all at once.
	holds bool
	held  time.Duration
	uids  int
	// old is what a cache that lags behind still shows.
	old observed
}

func newWorld(t testing.TB, job *kubeflowv1.PyTorchJob) *world {
	job.Namespace, job.UID = "ns", "job"
	return &world{
		t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), job: job,
		pods: map[string]*corev1.Pod{}, services: map[string]*corev1.Service{},
		lost: sets.New[string](), blocked: newBlocked(), priority: ptr.To[int32](0),
	}
}

func (w *world) observe() observed {
	f := frameworks.PyTorch()
	in := observed{
		Now: w.now, Framework: f, Job: f.Open(w.job.DeepCopy()), Gang: w.gang.DeepCopy(),
		Blocked: w.blocked, Unwatched: w.unwatched, Priority: w.priority, LostNodes: sets.New[string](),
	}
	in.Problems = validate(f, in.Job)
	if len(in.Problems) == 0 {
		in.Job.Default()
	}
	for _, name := range sortedKeys(w.pods) {
		in.Pods = append(in.Pods, w.pods[name].DeepCopy())
	}
	for _, name := range sortedKeys(w.services) {
		in.Services = append(in.Services, w.services[name].DeepCopy())
	}
	in.LostNodes = suspects(in).Intersection(w.lost)
	return in
}

// step makes one pass and says whether it changed anything.
func (w *world) step() bool {
	w.t.Helper()
	return w.pass(w.observe())
}

// pass decides upon what was observed, lately or not, and carries that out.
func (w *world) pass(in observed) bool {
	w.t.Helper()
	var pods []*corev1.Pod
	for _, pod := range in.Pods {
		pods = append(pods, pod.DeepCopy())
	}
	todo := decide(in)
	if !equality.Semantic.DeepEqual(pods, in.Pods) {
		w.t.Fatal("decide changes pods that belong to the cache")
	}
	w.check(in, todo)
	if w.holds && todo.Hold > 0 {
		todo.Status = *in.Job.Status()
	}
	changed := !equality.Semantic.DeepEqual(*in.Job.Status(), todo.Status)
	if w.apply(in, todo) && w.job.ResourceVersion == in.Job.Object().GetResourceVersion() {
		w.job.Status = *todo.Status.DeepCopy()
		w.events = append(w.events, todo.Events...)
		w.deleted = w.deleted || todo.DeleteJob
		w.wake, w.held = todo.Wake, todo.Hold
		w.touch(changed, w.job)
	}
	return changed || todo.Gang != nil || todo.DropGang || len(todo.Delete)+len(todo.Create) > 0
}

// settle makes passes until nothing changes. An engine that never comes to rest
// would burn the API server.
func (w *world) settle() {
	w.t.Helper()
	for range 30 {
		if !w.step() {
			return
		}
	}
	w.t.Fatalf("the engine does not come to rest: %+v", decide(w.observe()))
}

// apply is the API server's side of the plan: names are unique, deletions name
// a UID, patches a version. It says whether the plan was carried out.
func (w *world) apply(in observed, todo plan) bool {
	if todo.Gang != nil && !w.writeGang(todo.Gang) {
		return false
	}
	for _, d := range todo.Delete {
		w.delete(d)
	}
	for _, o := range todo.Create {
		o.SetUID(w.uid())
		o.SetCreationTimestamp(metav1.NewTime(w.now))
		switch o := o.(type) {
		case *corev1.Pod:
			if w.pods[o.Name] == nil {
				o.Status.Phase = corev1.PodPending
				w.pods[o.Name] = o
			}
		case *corev1.Service:
			if w.services[o.Name] == nil {
				w.services[o.Name] = o
			}
		}
	}
	if todo.DropGang && w.gang != nil && w.gang.UID == in.Gang.UID {
		w.gang = nil
	}
	return true
}

func (w *world) delete(d deletion) {
	switch o := d.Object.(type) {
	case *corev1.Pod:
		if pod := w.pods[o.Name]; pod != nil && pod.UID == o.UID {
			w.deletePod(o.Name, d.Force)
		}
	case *corev1.Service:
		if service := w.services[o.Name]; service != nil && service.UID == o.UID {
			delete(w.services, o.Name)
		}
	}
}

func (w *world) writeGang(gang *slipwayv1.Gang) bool {
	next := gang.DeepCopy()
	switch {
	case next.UID == "":
		if w.gang != nil {
			return true
		}
		next.UID, next.Generation, next.CreationTimestamp = w.uid(), 1, metav1.NewTime(w.now)
	case w.gang == nil || w.gang.ResourceVersion != next.ResourceVersion:
		return false
	case !equality.Semantic.DeepEqual(next.Spec, w.gang.Spec):
		next.Generation++
	}
	w.gang = next
	w.touch(true, w.gang)
	return true
}

func (w *world) touch(changed bool, object metav1.Object) {
	if changed {
		object.SetResourceVersion(string(w.uid()))
	}
}

func (w *world) uid() types.UID {
	w.uids++
	return types.UID(fmt.Sprint("uid-", w.uids))
}

// deletePod as the API server does it: at once when no container can be running.
func (w *world) deletePod(name string, force bool) {
	pod := w.pods[name]
	if force || pod.Status.Phase != corev1.PodRunning {
		delete(w.pods, name)
		return
	}
	pod.DeletionTimestamp = ptr.To(metav1.NewTime(w.now.Add(30 * time.Second)))
}

// place plays the scheduler: the pods of each set go to the nodes in turn.
func (w *world) place(nodes ...string) {
	w.gang.Status = slipwayv1.GangStatus{ObservedGeneration: w.gang.Generation}
	meta.SetStatusCondition(&w.gang.Status.Conditions, metav1.Condition{
		Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionTrue, Reason: "Placed", Message: "all pods have a node"})
	for _, set := range w.gang.Spec.PodSets {
		p := slipwayv1.PodSetPlacement{Name: set.Name}
		for i := range set.Count {
			p.Slots = append(p.Slots, slipwayv1.Slot{Node: nodes[int(i)%len(nodes)], Count: 1})
		}
		w.gang.Status.Placement = append(w.gang.Status.Placement, p)
	}
}

// unplace takes the places away, apart from those that the gang is to get back
// when a lost node returns.
func (w *world) unplace(reason, message string, keep ...slipwayv1.PodSetPlacement) {
	w.gang.Status = slipwayv1.GangStatus{ObservedGeneration: w.gang.Generation, Placement: keep}
	meta.SetStatusCondition(&w.gang.Status.Conditions, metav1.Condition{
		Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionFalse, Reason: reason, Message: message})
}

// started brings a job to the point where all its pods run.
func started(t testing.TB, job *kubeflowv1.PyTorchJob, nodes ...string) *world {
	t.Helper()
	w := newWorld(t, job)
	w.settle()
	w.place(nodes...)
	w.settle()
	w.runAll()
	w.settle()
	return w
}

func (w *world) runAll() {
	for _, pod := range w.pods {
		if pod.Status.Phase == corev1.PodPending {
			w.phase(pod.Name, corev1.PodRunning)
		}
	}
}

func (w *world) phase(name string, phase corev1.PodPhase) {
	pod := w.pods[name]
	pod.Status.Phase = phase
	if phase == corev1.PodRunning {
		pod.Status.StartTime = ptr.To(metav1.NewTime(w.now))
	}
}

// exit ends the default container of a pod and with it the pod.
func (w *world) exit(name string, code int32) {
	phase := corev1.PodSucceeded
	if code != 0 {
		phase = corev1.PodFailed
	}
	w.phase(name, phase)
	w.pods[name].Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "pytorch",
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, FinishedAt: metav1.NewTime(w.now)}},
	}}
}

// refuse plays a kubelet that does not admit the pod.
func (w *world) refuse(name, reason string) {
	w.pods[name].Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: reason, Message: "Pod was rejected: no room"}
}

// bury removes the pods whose deletion the kubelet has carried out.
func (w *world) bury() {
	for name, pod := range w.pods {
		if pod.DeletionTimestamp != nil && !w.lost.Has(nodeOf(pod)) {
			delete(w.pods, name)
		}
	}
}

func (w *world) podNames() string { return strings.Join(sortedKeys(w.pods), " ") }

func (w *world) last() string {
	if n := len(w.job.Status.Conditions); n > 0 {
		return string(w.job.Status.Conditions[n-1].Type)
	}
	return ""
}

func (w *world) condition(t kubeflowv1.JobConditionType) kubeflowv1.JobCondition {
	return ptr.Deref(find(&w.job.Status, t), kubeflowv1.JobCondition{})
}

func (w *world) sent(reason string) int {
	n := 0
	for _, e := range w.events {
		if e.Reason == reason {
			n++
		}
	}
	return n
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// world is an API server in memory for the scheduler's own requests, with those who make the pods of
// gangs and run them. The scheduler there dies when it has written so often, and another one starts.
// Every pod of it asks for one GPU, and every Gang has one pod set.
type world struct {
	client.Client // of which the scheduler needs no more than what is here
	t             *testing.T
	rng           *rand.Rand
	objects       map[string]client.Object
	version       int
	began         time.Time
	// left are the writes until the scheduler dies, which it does when it asks for one more;
	// negative for never.
	left int
	// idle are those who make pods and run them.
	idle bool
	// wrote is what schedulers wrote, in words.
	wrote []string
	// gaveWay are the gangs and pods that gave way to somebody.
	gaveWay []string
}

// errDead is what a scheduler gets that is dead.
var errDead = errors.New("the process has ended")

func kindAndName(o client.Object) string {
	return reflect.TypeOf(o).Elem().Name() + "/" + client.ObjectKeyFromObject(o).String()
}

// put an object that somebody else than the scheduler made or changed.
func (w *world) put(objects ...client.Object) {
	for _, o := range objects {
		if o.GetCreationTimestamp().Time.IsZero() || w.objects[kindAndName(o)] == nil {
			o.SetCreationTimestamp(metav1.NewTime(time.Now()))
		}
		w.store(o)
	}
}

func (w *world) store(o client.Object) {
	w.version++
	o.SetResourceVersion(strconv.Itoa(w.version))
	w.objects[kindAndName(o)] = o
}

func (w *world) drop(o client.Object) { delete(w.objects, kindAndName(o)) }

func (w *world) keys() []string { return slices.Sorted(maps.Keys(w.objects)) }

func all[T client.Object](w *world) (objects []T) {
	for _, key := range w.keys() {
		if o, is := w.objects[key].(T); is {
			objects = append(objects, o)
		}
	}
	return objects
}

// write what the scheduler asks for, if it is alive, in words.
func (w *world) write(o client.Object, version string, what string, change func(client.Object)) error {
	if w.left == 0 {
		return errDead
	}
	known := w.objects[kindAndName(o)]
	gr := schema.GroupResource{Resource: reflect.TypeOf(o).Elem().Name()}
	switch {
	case known == nil || o.GetUID() != "" && o.GetUID() != known.GetUID():
		return apierrors.NewNotFound(gr, o.GetName())
	case version != "" && version != known.GetResourceVersion():
		return apierrors.NewConflict(gr, o.GetName(), errors.New("it was changed"))
	}
	w.left--
	w.wrote = append(w.wrote, what+" "+kindAndName(o))
	next := known.DeepCopyObject().(client.Object)
	change(next)
	w.store(next)
	o.SetResourceVersion(next.GetResourceVersion())
	w.check(w.wrote[len(w.wrote)-1])
	return nil
}

func (w *world) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	o.SetNamespace(key.Namespace)
	o.SetName(key.Name)
	known := w.objects[kindAndName(o)]
	if known == nil {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	reflect.ValueOf(o).Elem().Set(reflect.ValueOf(known.DeepCopyObject()).Elem())
	return nil
}

func (w *world) Patch(_ context.Context, o client.Object, patch client.Patch, _ ...client.PatchOption) error {
	body, err := patch.Data(o)
	if err != nil {
		return err
	}
	var says struct{ Metadata metav1.ObjectMeta }
	if err := json.Unmarshal(body, &says); err != nil {
		return err
	}
	o.SetUID(says.Metadata.UID)
	return w.write(o, says.Metadata.ResourceVersion, "patch", func(next client.Object) {
		old, err := json.Marshal(next)
		if err == nil {
			old, err = strategicpatch.StrategicMergePatch(old, body, next)
		}
		fresh := reflect.New(reflect.TypeOf(next).Elem())
		if err = errors.Join(err, json.Unmarshal(old, fresh.Interface())); err != nil {
			w.t.Fatal(err)
		}
		reflect.ValueOf(next).Elem().Set(fresh.Elem())
	})
}

func (w *world) Delete(_ context.Context, o client.Object, _ ...client.DeleteOption) error {
	return w.write(o, "", "delete", func(next client.Object) {
		w.gaveWay = append(w.gaveWay, o.GetName())
		w.expire(next.(*corev1.Pod))
	})
}

// grace of every pod.
const grace = 30 * time.Second

// expire is what deleting a pod does first.
func (w *world) expire(p *corev1.Pod) {
	if p.DeletionTimestamp == nil {
		ends := metav1.NewTime(time.Now().Add(grace))
		p.DeletionTimestamp = &ends
	}
}

func (w *world) Status() client.SubResourceWriter { return statuses{w: w} }

func (w *world) SubResource(string) client.SubResourceClient { return statuses{w: w} }

// statuses of gangs, projects and pods, and their bindings.
type statuses struct {
	client.SubResourceClient
	w *world
}

func (s statuses) Update(_ context.Context, o client.Object, _ ...client.SubResourceUpdateOption) error {
	return s.w.write(o, o.GetResourceVersion(), "status of", func(next client.Object) {
		switch next := next.(type) {
		case *slipwayv1.Gang:
			was := next.Status.IsPlaced()
			if o.(*slipwayv1.Gang).Status.DeepCopyInto(&next.Status); was && placedReason(&next.Status) == "Evicted" && !next.Status.IsPlaced() {
				s.w.gaveWay = append(s.w.gaveWay, next.Name)
			}
		case *slipwayv1.Project:
			o.(*slipwayv1.Project).Status.DeepCopyInto(&next.Status)
		}
	})
}

func (s statuses) Patch(ctx context.Context, o client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	return s.w.Patch(ctx, o, patch)
}

func (s statuses) Create(_ context.Context, o client.Object, sub client.Object, _ ...client.SubResourceCreateOption) error {
	binding := sub.(*corev1.Binding)
	if p, is := s.w.objects[kindAndName(o)].(*corev1.Pod); is && (p.Spec.NodeName != "" || p.DeletionTimestamp != nil) {
		return apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, p.Name, errors.New("it is bound, or ends"))
	}
	return s.w.write(o, "", "binding of", func(next client.Object) {
		p := next.(*corev1.Pod)
		p.Spec.NodeName = binding.Target.Name
		if p.Annotations == nil {
			p.Annotations = map[string]string{}
		}
		maps.Copy(p.Annotations, binding.Annotations)
	})
}

// play those who make pods of gangs, run them and end them, and say whether they did anything.
func (w *world) play() bool {
	if w.idle {
		return false
	}
	before := w.version
	there := map[string]*corev1.Pod{}
	for _, p := range all[*corev1.Pod](w) {
		there[p.Name] = p
		if node := podset.PinnedTo(p.Spec.Affinity); isHeld(p) && p.Spec.NodeName == "" && node != "" {
			p = p.DeepCopy()
			p.Spec.NodeName = node
			w.store(p)
		}
	}
	for _, g := range all[*slipwayv1.Gang](w) {
		wanted := map[string]bool{}
		for _, set := range g.Status.Placement {
			rank := 0
			for _, slot := range set.Slots {
				for range slot.Count {
					p := worker(g.Name, rank)
					p.Spec.NodeName, p.UID = slot.Node, types.UID(fmt.Sprint(p.Name, "-", w.version))
					if rank++; slot.Node == "" {
						continue
					}
					if is := there[p.Name]; is == nil {
						w.put(p)
					} else if is.Spec.NodeName != slot.Node {
						continue
					}
					wanted[p.Name] = true
				}
			}
		}
		for name, p := range there {
			if p.Labels[slipwayv1.LabelGang] == g.Name && !wanted[name] && p.DeletionTimestamp == nil {
				p = p.DeepCopy()
				w.expire(p)
				w.store(p)
			}
		}
	}
	return w.version > before
}

// end the pods whose time has come, and say whether others have yet to end.
func (w *world) end() (more bool) {
	for _, p := range all[*corev1.Pod](w) {
		switch ends := p.DeletionTimestamp; {
		case ends == nil:
		case time.Now().Before(ends.Time):
			more = true
		default:
			w.drop(p)
		}
	}
	return more
}

// process is one scheduler, and what it has heard of.
type process struct {
	*scheduler
	w     *world
	heard map[string]client.Object
}

// ripe gathers what the binder is to look at.
type ripe struct {
	queue
	all []ctrl.Request
}

func (r *ripe) Add(request ctrl.Request) {
	if !slices.Contains(r.all, request) {
		r.all = append(r.all, request)
	}
}

// unwritten gathers what the writer is to look at.
type unwritten struct {
	writeQueue
	all []ctrl.Request
}

func (u *unwritten) AddWithOpts(_ priorityqueue.AddOpts, requests ...ctrl.Request) {
	u.all = append(u.all, requests...)
}

// silent is a recorder of no events.
type silent struct{ events.EventRecorder }

func (silent) Eventf(runtime.Object, runtime.Object, string, string, string, string, ...any) {}

func (w *world) process() *process {
	s := &scheduler{client: w, events: silent{}, ledger: newLedger(), binds: &ripe{}, writes: &unwritten{}}
	s.meters = newMeters(s)
	return &process{s, w, map[string]client.Object{}}
}

// hear of everything that changed, in any order.
func (p *process) hear() (news bool) {
	for _, key := range slices.Sorted(maps.Keys(p.heard)) {
		o := p.heard[key]
		if now := p.w.objects[key]; now == nil || now.GetUID() != o.GetUID() {
			delete(p.heard, key)
			news = p.remove(o) || news
		}
	}
	keys := p.w.keys()
	p.w.rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, key := range keys {
		o := p.w.objects[key]
		if was := p.heard[key]; was == nil || was.GetResourceVersion() != o.GetResourceVersion() {
			p.heard[key] = o
			news = p.set(o.DeepCopyObject().(client.Object)) || news
		}
	}
	return news
}

// round of decisions and of the writes that follow, in any order. It says whether there was anything to
// do, and whether the process died of it.
func (p *process) round(ctx context.Context) (did, died bool) {
	p.hear()
	now, names := time.Now(), []types.NamespacedName(nil)
	names = append(names, p.ledger.decide(now)...)
	reworded, _ := p.ledger.reword(100)
	names = append(append(names, reworded...), p.ledger.plan()...)
	names = append(names, p.ledger.changedProjects(now)...)
	writes := p.writes.(*unwritten)
	for _, request := range writes.all {
		names = append(names, request.NamespacedName)
	}
	writes.all = nil
	p.release()
	var todo []func() error
	for _, name := range names {
		todo = append(todo, func() error {
			_, err := writer{p.scheduler}.Reconcile(ctx, ctrl.Request{NamespacedName: name})
			return err
		})
	}
	binds := p.binds.(*ripe)
	for _, request := range binds.all {
		todo = append(todo, func() error {
			_, err := binder{p.scheduler}.Reconcile(ctx, request)
			return err
		})
	}
	binds.all = nil
	before := len(p.w.wrote)
	p.w.rng.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
	for _, do := range todo {
		if err := do(); errors.Is(err, errDead) {
			return true, true
		} else if err != nil {
			p.w.t.Fatal(err)
		}
		if p.w.rng.IntN(3) == 0 {
			p.hear()
		}
	}
	return len(p.w.wrote) > before, false
}

// rest returns when nothing is left to do for anybody.
func (p *process) rest(ctx context.Context) *process {
	p.w.t.Helper()
	for quiet := 0; quiet < 2; {
		if len(p.w.wrote) > 500 {
			p.w.t.Fatalf("the scheduler does not come to rest: %v", p.w.wrote[400:])
		}
		did, died := p.round(ctx)
		switch {
		case died:
			p.w.left = -1
			for p.w.rng.IntN(2) == 0 && p.w.play() {
			}
			p = p.w.process()
			quiet = 0
		case p.w.play() || did:
			quiet = 0
		case p.w.end():
			<-time.After(grace / 3)
			quiet = 0
		default:
			quiet++
		}
	}
	return p
}

// check what may never be, be it for a moment: a node that has less than what is placed there, and a
// gang that is placed in part.
func (w *world) check(after string) {
	taken := map[string]int64{}
	type site struct{ gang, node string }
	ofGang := map[site]int64{}
	for _, p := range all[*corev1.Pod](w) {
		if p.Spec.NodeName != "" && p.Labels[slipwayv1.LabelGang] != "" {
			ofGang[site{p.Labels[slipwayv1.LabelGang], p.Spec.NodeName}] += gpusOf(p)
		} else if p.Spec.NodeName != "" {
			taken[p.Spec.NodeName] += gpusOf(p)
		}
	}
	for _, g := range all[*slipwayv1.Gang](w) {
		n, ofNode := int32(0), map[string]int64{}
		for _, slot := range slotsOf(g) {
			if slot.Node != "" { // or else ranks that it runs without
				n += slot.Count
				ofNode[slot.Node] += int64(slot.Count)
			}
		}
		for node, count := range ofNode {
			taken[node] += max(count, ofGang[site{g.Name, node}])
			delete(ofGang, site{g.Name, node})
		}
		set := &g.Spec.PodSets[0]
		if least := ptr.Deref(set.MinCount, set.Count); g.Status.IsPlaced() && g.Status.ObservedGeneration == g.Generation && (n < least || n > set.Count) {
			w.t.Errorf("after %s gang %s has %d of %d places, and takes %d", after, g.Name, n, set.Count, least)
		}
	}
	for at, gpus := range ofGang {
		taken[at.node] += gpus
	}
	for _, n := range all[*corev1.Node](w) {
		room := n.Status.Allocatable["nvidia.com/gpu"]
		if taken[n.Name] > room.Value() {
			w.t.Errorf("after %s %d of %d GPUs of %s are taken; writes so far: %v", after, taken[n.Name], room.Value(), n.Name, w.wrote)
		}
	}
}

func gpusOf(p *corev1.Pod) int64 {
	q := p.Spec.Containers[0].Resources.Requests["nvidia.com/gpu"]
	return q.Value()
}

func slotsOf(g *slipwayv1.Gang) []slipwayv1.Slot {
	if len(g.Status.Placement) == 0 {
		return nil
	}
	return g.Status.Placement[0].Slots
}

// tells what has become of everybody.
func (w *world) tells() map[string]string {
	out := map[string]string{}
	for _, g := range all[*slipwayv1.Gang](w) {
		s := &g.Status
		n := int32(0)
		for _, slot := range slotsOf(g) {
			if slot.Node != "" {
				n += slot.Count
			}
		}
		text := fmt.Sprintf("(%s) %d places", placedReason(s), n)
		if len(s.LentBy) > 0 { // To whom it gave way is of no more use, now that all pods have ended that do.
			text += fmt.Sprintf(" lent by %v", s.LentBy)
		}
		if s.Promise != nil {
			text += fmt.Sprintf(" promised in %s", s.Promise.Time.Sub(w.began).Round(10*time.Minute))
		}
		out["gang "+g.Name] = text
	}
	for _, p := range all[*corev1.Pod](w) {
		if p.Labels[slipwayv1.LabelGang] == "" {
			out["pod "+p.Name] = fmt.Sprint("bound: ", p.Spec.NodeName != "")
		}
	}
	for _, p := range all[*slipwayv1.Project](w) {
		out["project "+p.Name] = fmt.Sprintf("placed %d, waiting %d, %+v", p.Status.Placed, p.Status.Waiting, usedOf(p))
	}
	for _, g := range all[*schedulingv1beta1.PodGroup](w) {
		out["group "+g.Name] = fmt.Sprint(len(g.Status.Conditions) > 0 && g.Status.Conditions[0].Status == metav1.ConditionTrue)
	}
	return out
}

func usedOf(p *slipwayv1.Project) []string {
	var used []string
	for _, u := range p.Status.Usage {
		used = append(used, fmt.Sprint(u.Resource, "=", u.Used.String()))
	}
	return used
}

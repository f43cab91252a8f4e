// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// ledger is what the scheduler knows: the picture, the gangs as last seen, and the
// answers to them. It does no I/O and has no clock. What it is told may come
// twice or late; it returns whether there may be something to decide or write.
type ledger struct {
	picture *placement.Picture
	gangs   map[string]*entry
	// projects by name; namespaces are the projects of namespaces.
	projects   map[string]*project
	refused    map[string]bool // those of them that cannot be followed
	namespaces map[string]string
	// counts of the gangs of projects, by name, when it was last planned.
	counts map[string]placement.Counts
	// bereft are the Gangs that are gone and whose pods may be there, and when these are taken to stay;
	// zero until the next decision.
	bereft map[string]time.Time
	vacating
	intake
	stock stock
	// unwritten are gangs whose status may not be what it should; some may be gone.
	unwritten []string
	seen      seen
	// decided says that there was a first decision; now is when the last one was.
	decided bool
	now     time.Time
	tally   tally
}

// entry is one Gang.
type entry struct {
	name       types.NamespacedName
	uid        types.UID
	generation int64
	// object as last read; version and status as last read or written.
	object  *slipwayv1.Gang
	version string
	status  slipwayv1.GangStatus
	// project that the gang names; asked is what placement was asked.
	project string
	asked   *placement.Gang
	// answer is nil until the first decision.
	answer *answer
	// promised is the start that a gang that waits was told; zero for none.
	promised time.Time
}

func newLedger() *ledger {
	return &ledger{
		picture: placement.New(), gangs: map[string]*entry{}, projects: map[string]*project{}, refused: map[string]bool{}, namespaces: map[string]string{}, bereft: map[string]time.Time{},
		vacating: newVacating(), intake: newIntake(), stock: newStock(), seen: newSeen(), tally: newTally(),
	}
}

// set an object that was made or changed.
func (l *ledger) set(o client.Object) bool {
	l.seen.set(o)
	switch o := o.(type) {
	case *corev1.Node:
		l.divide(slices.Sorted(maps.Keys(o.Labels)))
		return l.setNode(o)
	case *corev1.Pod:
		return l.setPod(o)
	case *corev1.PersistentVolumeClaim:
		return l.setClaim(o)
	case *corev1.PersistentVolume:
		return l.setVolume(o)
	case *storagev1.StorageClass:
		return l.setClass(o)
	case *resourcev1.DeviceClass, *resourcev1.ResourceSlice, *resourcev1.ResourceClaim, *resourcev1.ResourceClaimTemplate:
		return l.setDevices(o)
	case *schedulingv1beta1.PodGroup:
		return l.setPodGroup(o)
	case *slipwayv1.Gang:
		return l.setGang(o)
	case *slipwayv1.Project:
		return l.setProject(o)
	case *corev1.Namespace:
		news := l.picture.SetNamespace(o.Name, o.Labels)
		return l.setNamespace(o.Name, o.Labels[slipwayv1.LabelProject]) || news
	}
	return false
}

// remove an object that is gone.
func (l *ledger) remove(o client.Object) bool {
	l.seen.remove(o)
	switch o := o.(type) {
	case *corev1.Node:
		return l.removeNode(o)
	case *corev1.Pod:
		return l.removePod(o)
	case *corev1.PersistentVolumeClaim:
		return l.removeClaim(client.ObjectKeyFromObject(o))
	case *corev1.PersistentVolume:
		delete(l.intake.volumes, o.Name)
	case *storagev1.StorageClass:
		delete(l.intake.classes, o.Name)
	case *resourcev1.DeviceClass, *resourcev1.ResourceSlice, *resourcev1.ResourceClaim, *resourcev1.ResourceClaimTemplate:
		return l.removeDevices(o)
	case *schedulingv1beta1.PodGroup:
		return l.removePodGroup(o)
	case *slipwayv1.Gang:
		return l.removeGang(o)
	case *slipwayv1.Project:
		return l.removeProject(o)
	case *corev1.Namespace:
		news := l.picture.SetNamespace(o.Name, nil)
		return l.setNamespace(o.Name, "") || news
	}
	return false
}

// setGang takes a gang on its way out for gone: whoever made it wants no more of it.
func (l *ledger) setGang(g *slipwayv1.Gang) bool {
	if g.DeletionTimestamp != nil {
		return l.removeGang(g)
	}
	key := keyOf(g.Namespace, g.Name)
	e := l.gangs[key]
	if e != nil && e.uid != g.UID {
		l.drop(key)
		l.bereave(key)
		e = nil
	}
	if e == nil {
		e = &entry{name: client.ObjectKeyFromObject(g), uid: g.UID}
		l.gangs[key] = e
	} else if !newer(g.ResourceVersion, e.version) {
		return false
	}
	e.object, e.version, e.status = g, g.ResourceVersion, g.Status
	l.unwritten = append(l.unwritten, key)
	l.vacate(key)
	l.seat(e)
	if e.generation != g.Generation {
		e.generation = g.Generation
		l.ask(e, g)
	}
	return true
}

// newer says that a version came after the one known. Versions that cannot be
// compared are taken as they come.
func newer(version, known string) bool {
	order, err := resourceversion.CompareResourceVersion(version, known)
	return err != nil || order > 0
}

// ask placement, at once or when devices are counted.
func (l *ledger) ask(e *entry, g *slipwayv1.Gang) {
	e.project = g.Spec.Project
	if l.claim(keyOf(g.Namespace, g.Name), g) {
		return
	}
	asked, err := gangOf(g)
	l.put(e, asked, err)
}

// put it to placement; what cannot be followed is answered here.
func (l *ledger) put(e *entry, asked placement.Gang, err error) {
	g := e.object
	e.asked = nil
	if asked.Queue == "" {
		asked.Queue = l.namespaces[g.Namespace]
	}
	if err == nil {
		tell := l.picture.SetGang
		if l.shrink(&asked, e) {
			tell = l.picture.Reseat
		}
		e.asked = &asked
		err = tell(asked)
	} else {
		l.picture.DeleteGang(asked.Key)
	}
	if err != nil {
		e.answer = &answer{generation: g.Generation, refused: err.Error()}
		l.vacate(asked.Key)
		l.tally.decisions[refused]++
	}
}

func (l *ledger) removeGang(g *slipwayv1.Gang) bool {
	key := keyOf(g.Namespace, g.Name)
	if e := l.gangs[key]; e == nil || e.uid != g.UID {
		return false
	}
	l.drop(key)
	l.bereave(key)
	return true
}

func (l *ledger) drop(key string) {
	if c := l.crews[key]; c != nil {
		c.move(nil)
		l.ripen(c)
	}
	l.picture.DeleteGang(key)
	l.disclaim(key)
	delete(l.gangs, key)
	l.vacate(key)
}

// decide on all gangs, and return those whose status is to be looked at.
func (l *ledger) decide(now time.Time) []types.NamespacedName {
	if !l.decided {
		l.recall(now)
		l.bereaveStrangers()
		l.finishEvictions()
	}
	l.decided, l.now = true, now
	l.unpin(now)
	l.mourn(now)
	l.want()
	l.takeStock()
	l.askGroups()
	l.noteAll(l.picture.Advance(now.Unix()))
	return l.flush()
}

// plan who gives way to whom and who starts when, and return the gangs whose status
// is to be looked at.
func (l *ledger) plan() []types.NamespacedName {
	l.noteAll(l.picture.Settle())
	if len(l.dirty) > 0 {
		// Groups gave way: what is left of them asks anew, or is forgotten.
		l.askGroups()
		l.noteAll(l.picture.Advance(l.now.Unix()))
	}
	l.counts = l.countGangs()
	for key, e := range l.gangs {
		if e.answer == nil {
			continue
		}
		if lentBy := l.picture.LentBy(key); !slices.Equal(lentBy, e.answer.verdict.LentBy) {
			e.answer.verdict.LentBy = lentBy
			l.unwritten = append(l.unwritten, key)
		}
		planned, promised := l.picture.PlannedStart(key)
		if !promised && e.answer.start.IsZero() {
			continue
		}
		start := time.Time{}
		if promised {
			start = e.startAt(time.Unix(planned.At, 0))
		}
		l.promise(e, start)
		if when := whenOf(planned); !start.Equal(e.answer.start) || when != e.answer.when || planned.Number != e.answer.promise {
			e.answer.start, e.answer.when, e.answer.promise = start, when, planned.Number
			l.unwritten = append(l.unwritten, key)
		}
	}
	return l.flush()
}

// startPrecision is by how much a planned start must change to be told again.
const startPrecision = time.Minute

// startAt a planned moment, or at the one that the gang was told, be it by the scheduler before
// this one, where that is nearly the same.
func (e *entry) startAt(planned time.Time) time.Time {
	told := e.answer.start
	if told.IsZero() && e.status.Promise != nil {
		told = e.status.Promise.Time.Time
	}
	if planned.Sub(told).Abs() < startPrecision {
		return told
	}
	return planned
}

func (l *ledger) noteAll(verdicts []placement.Verdict) {
	for _, v := range verdicts {
		l.count(v)
		l.note(v)
	}
}

// reword why gangs wait, for at most so many; see Picture.Refresh.
func (l *ledger) reword(limit int) ([]types.NamespacedName, bool) {
	news, more := l.picture.Refresh(limit)
	for _, v := range news {
		if l.gaveWay(v.Gang) {
			l.gangs[v.Gang].answer.next = &v
		} else {
			l.note(v)
		}
	}
	return l.flush(), more
}

// gaveWay says that a gang gave up its places and its status does not say so yet:
// why comes before what it waits for.
func (l *ledger) gaveWay(key string) bool {
	e := l.gangs[key]
	if e == nil {
		return false // Its pods are told and deleted at once.
	}
	why := e.answer.verdict.Reason
	return why != nil && why.Code == placement.Evicted && placedReason(&e.status) != string(placement.Evicted)
}

func (l *ledger) note(v placement.Verdict) {
	if g := l.groups[v.Gang]; g != nil {
		l.noteGroup(g, v, l.now)
		return
	}
	e := l.gangs[v.Gang]
	next := &answer{generation: e.generation, verdict: v}
	if e.answer != nil && v.State == placement.Waiting {
		next.start, next.when, next.promise = e.answer.start, e.answer.when, e.answer.promise // until the next plan says otherwise
	}
	e.answer = next
	l.unwritten = append(l.unwritten, v.Gang)
	l.vacate(v.Gang)
	l.seat(e)
}

// moved says that a gang got places, or lost some, and its status does not say so
// yet.
func (l *ledger) moved(name types.NamespacedName) bool {
	e := l.gangs[keyOf(name.Namespace, name.Name)]
	if e == nil || e.answer == nil {
		return false
	}
	v := &e.answer.verdict
	return (v.State == placement.Placed) != e.status.IsPlaced() || !samePlaces(v.Placement, e.status.Placement)
}

func samePlaces(told []placement.SetPlacement, written []slipwayv1.PodSetPlacement) bool {
	return slices.EqualFunc(told, written, func(a placement.SetPlacement, b slipwayv1.PodSetPlacement) bool {
		return a.Set == b.Name && slices.EqualFunc(a.Slots, b.Slots, func(x placement.Slot, y slipwayv1.Slot) bool {
			return x == placement.Slot(y)
		})
	})
}

func (l *ledger) flush() []types.NamespacedName {
	var names []types.NamespacedName
	for _, key := range l.unwritten {
		if e := l.gangs[key]; e != nil {
			names = append(names, e.name)
		}
	}
	l.unwritten = nil
	return names
}

// draft of a status that is to be written.
type draft struct {
	name     types.NamespacedName
	uid      types.UID
	version  string
	old, new *slipwayv1.GangStatus
}

// draft the status of a gang, if the gang as it now is has an answer and the
// status is not what it should be, and need not wait for another one's (vacate.go).
func (l *ledger) draft(name types.NamespacedName, now time.Time) (*draft, bool) {
	key := keyOf(name.Namespace, name.Name)
	e := l.gangs[key]
	if e == nil || e.answer == nil || e.answer.generation != e.generation {
		return nil, false
	}
	if l.moved(name) && l.isBehind(key, e.answer.verdict.Placement) {
		return nil, false
	}
	next := statusFor(&e.status, e.answer, now)
	known := equality.Semantic.DeepEqual(&e.status, next)
	next.GaveWayTo = l.picture.GaveWayTo(key)
	if known && within(next.GaveWayTo, e.status.GaveWayTo) {
		return nil, false
	}
	return &draft{name, e.uid, e.version, e.status.DeepCopy(), next}, true
}

// written notes what the API server has after a draft was written.
func (l *ledger) written(d *draft, version string) {
	key := keyOf(d.name.Namespace, d.name.Name)
	if e := l.gangs[key]; e != nil && e.uid == d.uid && newer(version, e.version) {
		e.version, e.status = version, *d.new
		l.vacate(key)
		l.seat(e)
		if a := e.answer; a != nil && a.next != nil && a.generation == e.generation && !l.gaveWay(key) {
			l.note(*a.next)
		}
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	corev1 "k8s.io/api/core/v1"
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
	namespaces map[string]string
	// unwritten are gangs whose status may not be what it should; some may be gone.
	unwritten []string
}

// entry is one Gang.
type entry struct {
	name       types.NamespacedName
	uid        types.UID
	generation int64
	// version and status as last read or written.
	version string
	status  slipwayv1.GangStatus
	// project that the gang names; asked is what placement was asked.
	project string
	asked   *placement.Gang
	// answer is nil until the first decision.
	answer *answer
}

func newLedger() *ledger {
	return &ledger{picture: placement.New(), gangs: map[string]*entry{}, projects: map[string]*project{}, namespaces: map[string]string{}}
}

// set an object that was made or changed.
func (l *ledger) set(o client.Object) bool {
	switch o := o.(type) {
	case *corev1.Node:
		return l.picture.SetNode(nodeOf(o))
	case *corev1.Pod:
		if pod, takes := podOf(o); takes {
			return l.picture.Bind(pod)
		}
		return l.picture.Unbind(string(o.UID))
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
	switch o := o.(type) {
	case *corev1.Node:
		return l.picture.DeleteNode(o.Name)
	case *corev1.Pod:
		return l.picture.Unbind(string(o.UID))
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
		e = nil
	}
	if e == nil {
		e = &entry{name: client.ObjectKeyFromObject(g), uid: g.UID}
		l.gangs[key] = e
	} else if !newer(g.ResourceVersion, e.version) {
		return false
	}
	e.version, e.status = g.ResourceVersion, g.Status
	l.unwritten = append(l.unwritten, key)
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

// ask placement; what cannot be followed is answered here.
func (l *ledger) ask(e *entry, g *slipwayv1.Gang) {
	asked, err := gangOf(g)
	e.project, e.asked = g.Spec.Project, nil
	if asked.Queue == "" {
		asked.Queue = l.namespaces[g.Namespace]
	}
	if err == nil {
		e.asked = &asked
		err = l.picture.SetGang(asked)
	} else {
		l.picture.DeleteGang(asked.Key)
	}
	if err != nil {
		e.answer = &answer{generation: g.Generation, refused: err.Error()}
	}
}

func (l *ledger) removeGang(g *slipwayv1.Gang) bool {
	key := keyOf(g.Namespace, g.Name)
	if e := l.gangs[key]; e == nil || e.uid != g.UID {
		return false
	}
	l.drop(key)
	return true
}

func (l *ledger) drop(key string) {
	l.picture.DeleteGang(key)
	delete(l.gangs, key)
}

// decide on all gangs, and return those whose status is to be looked at.
func (l *ledger) decide(now time.Time) []types.NamespacedName {
	l.noteAll(l.picture.Advance(now.Unix()))
	return l.flush()
}

// plan who gives way to whom and who starts when, and return the gangs whose status
// is to be looked at.
func (l *ledger) plan() []types.NamespacedName {
	l.noteAll(l.picture.Settle())
	for key, e := range l.gangs {
		at, promised := l.picture.PlannedStart(key)
		if e.answer == nil || !promised && e.answer.start.IsZero() {
			continue
		}
		start := time.Time{}
		if promised {
			start = time.Unix(at, 0)
		}
		if e.answer.start.IsZero() != start.IsZero() || start.Sub(e.answer.start).Abs() >= startPrecision {
			e.answer.start = start
			l.unwritten = append(l.unwritten, key)
		}
	}
	return l.flush()
}

// startPrecision is by how much a planned start must change to be told again.
const startPrecision = time.Minute

func (l *ledger) noteAll(verdicts []placement.Verdict) {
	for _, v := range verdicts {
		l.note(v)
	}
}

// nextLoss is when the patience of a gang with a node ends; zero when none's does.
func (l *ledger) nextLoss() time.Time {
	if at, is := l.picture.NextLoss(); is {
		return time.Unix(at, 0)
	}
	return time.Time{}
}

// reword why gangs wait, for at most so many; see Picture.Refresh.
func (l *ledger) reword(limit int) ([]types.NamespacedName, bool) {
	news, more := l.picture.Refresh(limit)
	for _, v := range news {
		l.note(v)
	}
	return l.flush(), more
}

func (l *ledger) note(v placement.Verdict) {
	e := l.gangs[v.Gang]
	e.answer = &answer{generation: e.generation, verdict: v}
	l.unwritten = append(l.unwritten, v.Gang)
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
// status is not what it should be.
func (l *ledger) draft(name types.NamespacedName, now time.Time) (*draft, bool) {
	e := l.gangs[keyOf(name.Namespace, name.Name)]
	if e == nil || e.answer == nil || e.answer.generation != e.generation {
		return nil, false
	}
	next := statusFor(&e.status, e.answer, now)
	if equality.Semantic.DeepEqual(&e.status, next) {
		return nil, false
	}
	return &draft{name, e.uid, e.version, e.status.DeepCopy(), next}, true
}

// written notes what the API server has after a draft was written.
func (l *ledger) written(d *draft, version string) {
	if e := l.gangs[keyOf(d.name.Namespace, d.name.Name)]; e != nil && e.uid == d.uid && newer(version, e.version) {
		e.version, e.status = version, *d.new
	}
}

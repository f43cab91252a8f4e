// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strconv"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// object is an object of any kind.
type object = *unstructured.Unstructured

// change is an event of a watch.
type change struct {
	Type   string `json:"type"`
	Object object `json:"object"`

	resource string
}

// store keeps the objects of a fake cluster and everything that happened to
// them. The version of an object is the number of changes there were.
type store struct {
	mu      sync.Mutex
	objects map[string]object // by resource/namespace/name
	ending  map[string]string // resources of objects that were deleted and are there
	changes []change
	more    chan struct{} // closed when there is a change more
	// made is when all of its objects were: those that are as old are in the order of their names.
	made metav1.Time
}

func newStore() *store {
	return &store{objects: map[string]object{}, ending: map[string]string{}, more: make(chan struct{}), made: metav1.NewTime(time.Now().Add(-10 * time.Minute))}
}

// key of an object; without a name it is the prefix of all in a namespace.
func key(resource, namespace, name string) string {
	return resource + "/" + namespace + "/" + name
}

func (s *store) get(key string) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.objects[key]; found != nil {
		return found.DeepCopy()
	}
	return nil
}

// put stores an object as the API server would.
func (s *store) put(resource string, o object) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	o = o.DeepCopy()
	key, kind := key(resource, o.GetNamespace(), o.GetName()), "ADDED"
	switch old := s.objects[key]; {
	case old != nil:
		kind = "MODIFIED"
		o.SetUID(old.GetUID())
		o.SetCreationTimestamp(old.GetCreationTimestamp())
	default:
		if o.GetUID() == "" {
			o.SetUID(types.UID(key))
		}
		o.SetCreationTimestamp(s.made)
	}
	s.tell(change{kind, o, resource})
	s.objects[key] = o
	return o.DeepCopy()
}

// end an object that was deleted: it goes at once, or when another one has that its
// annotation stays-for names.
func (s *store) end(resource, key string) {
	s.mu.Lock()
	s.ending[key] = resource
	s.mu.Unlock()
	for again := true; again; {
		again = false
		for key, resource := range s.endings() {
			s.remove(resource, key)
			again = true
		}
	}
}

// endings are the objects that were deleted and stay for nobody any more.
func (s *store) endings() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := map[string]string{}
	for key, resource := range s.ending {
		if o := s.objects[key]; o == nil || s.objects[o.GetAnnotations()["stays-for"]] == nil {
			now[key] = resource
			delete(s.ending, key)
		}
	}
	return now
}

func (s *store) remove(resource, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.objects[key]; o != nil {
		delete(s.objects, key)
		s.tell(change{"DELETED", o.DeepCopy(), resource})
	}
}

func (s *store) tell(c change) {
	c.Object.SetResourceVersion(strconv.Itoa(len(s.changes) + 1))
	s.changes = append(s.changes, c)
	close(s.more)
	s.more = make(chan struct{})
}

// since returns the changes after a version, and what is closed when there are
// more.
func (s *store) since(version int) ([]change, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes[min(version, len(s.changes)):], s.more
}

// list returns what matches, and the version at which it did.
func (s *store) list(m match) ([]object, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []object{}
	for key, o := range s.objects {
		if strings.HasPrefix(key, m.resource+"/") && m.object(o) {
			found = append(found, o.DeepCopy())
		}
	}
	return found, len(s.changes)
}

// match is what a list or watch asks for.
type match struct {
	resource, namespace string
	labels              labels.Selector
	fields              fields.Selector
}

func (m match) object(o object) bool {
	return (m.namespace == "" || o.GetNamespace() == m.namespace) &&
		m.labels.Matches(labels.Set(o.GetLabels())) && m.fields.Matches(fieldsOf{o})
}

// fieldsOf an object are all that are strings, by their path.
type fieldsOf struct{ object }

func (f fieldsOf) Has(field string) bool { return f.Get(field) != "" }

func (f fieldsOf) Get(field string) string { return nested(f.object, strings.Split(field, ".")...) }

// nested is a string in an object; empty when it is not there.
func nested(o object, fields ...string) string {
	value, _, _ := unstructured.NestedString(o.Object, fields...)
	return value
}

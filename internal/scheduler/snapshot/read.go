// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// lookahead is how much of a stream is looked at to tell JSON from YAML, in bytes.
const lookahead = 4096

// makeIt says how to come by a file that can be read.
const makeIt = "make the file with: kubectl get nodes,namespaces,pods,projects,gangs,priorityclasses -A -o json"

// kinds that a snapshot is made of.
var kinds = map[schema.GroupVersionKind]func() client.Object{
	corev1.SchemeGroupVersion.WithKind("Node"):                      func() client.Object { return &corev1.Node{} },
	corev1.SchemeGroupVersion.WithKind("Namespace"):                 func() client.Object { return &corev1.Namespace{} },
	corev1.SchemeGroupVersion.WithKind("Pod"):                       func() client.Object { return &corev1.Pod{} },
	storagev1.SchemeGroupVersion.WithKind("StorageClass"):           func() client.Object { return &storagev1.StorageClass{} },
	corev1.SchemeGroupVersion.WithKind("PersistentVolume"):          func() client.Object { return &corev1.PersistentVolume{} },
	corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"):     func() client.Object { return &corev1.PersistentVolumeClaim{} },
	schedulingv1beta1.SchemeGroupVersion.WithKind("PodGroup"):       func() client.Object { return &schedulingv1beta1.PodGroup{} },
	resourcev1.SchemeGroupVersion.WithKind("DeviceClass"):           func() client.Object { return &resourcev1.DeviceClass{} },
	resourcev1.SchemeGroupVersion.WithKind("ResourceSlice"):         func() client.Object { return &resourcev1.ResourceSlice{} },
	resourcev1.SchemeGroupVersion.WithKind("ResourceClaim"):         func() client.Object { return &resourcev1.ResourceClaim{} },
	resourcev1.SchemeGroupVersion.WithKind("ResourceClaimTemplate"): func() client.Object { return &resourcev1.ResourceClaimTemplate{} },
	schedulingv1.SchemeGroupVersion.WithKind("PriorityClass"):       func() client.Object { return &schedulingv1.PriorityClass{} },
	slipwayv1.GroupVersion.WithKind("Project"):                      func() client.Object { return &slipwayv1.Project{} },
	slipwayv1.GroupVersion.WithKind("Gang"):                         func() client.Object { return &slipwayv1.Gang{} },
}

// Read a snapshot from JSON or YAML: a List, lists of one kind, single objects, or
// several of these one after the other. Objects of other kinds are passed over.
//
// A list that does not say when it was taken is taken to be as old as the latest
// moment that it speaks of; Taken is zero when there is none, see [Snapshot.Date].
// What people need not write in a file of their own is made
// up: generations, UIDs, the namespace "default".
func Read(r io.Reader) (*Snapshot, error) {
	in := reader{snapshot: &Snapshot{}, seen: map[string]string{}}
	documents := yaml.NewYAMLOrJSONDecoder(r, lookahead)
	for n := 0; ; n++ {
		var document json.RawMessage
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("document %d is neither JSON nor YAML: %w", n, err)
		}
		if err := in.document(n, document); err != nil {
			return nil, err
		}
	}
	if len(in.seen) == 0 {
		return nil, errors.New("it holds no nodes, pods, projects or gangs; " + makeIt)
	}
	if in.snapshot.Taken.IsZero() {
		in.snapshot.Taken = in.snapshot.latest()
	}
	return in.snapshot, nil
}

type reader struct {
	snapshot *Snapshot
	// seen are the objects read, with the place where each was.
	seen map[string]string
}

// head of a document: that of a list, or of an object.
type head struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Taken      *string           `json:"taken"`
	Items      []json.RawMessage `json:"items"`
}

// document number n.
func (in *reader) document(n int, text json.RawMessage) error {
	if len(text) == 0 || string(text) == "null" {
		return nil
	}
	var h head
	if err := kubejson.Unmarshal(text, &h); err != nil {
		return fmt.Errorf("document %d is no Kubernetes object; %s", n, makeIt)
	}
	place := ""
	if n > 0 {
		place = fmt.Sprintf("document %d, ", n)
	}
	if h.Taken != nil {
		taken, err := time.Parse(time.RFC3339, *h.Taken)
		if err != nil {
			return fmt.Errorf("%staken is %q; write a time such as 2026-01-02T15:04:05Z, or leave it out", place, *h.Taken)
		}
		in.snapshot.Taken = taken
	}
	of, isList := strings.CutSuffix(h.Kind, "List")
	if !isList {
		return in.object(fmt.Sprintf("document %d", n), text, schema.GroupVersionKind{})
	}
	implied := schema.GroupVersionKind{}
	if of != "" {
		implied = schema.FromAPIVersionAndKind(h.APIVersion, of)
	}
	for i, item := range h.Items {
		if err := in.object(fmt.Sprintf("%sitems[%d]", place, i), item, implied); err != nil {
			return err
		}
	}
	return nil
}

// object at a place. Lists of one kind imply the kind of their items.
func (in *reader) object(place string, text json.RawMessage, implied schema.GroupVersionKind) error {
	var h head
	if err := kubejson.Unmarshal(text, &h); err != nil {
		return fmt.Errorf("%s is no Kubernetes object; take it out, or %s", place, makeIt)
	}
	kind := schema.FromAPIVersionAndKind(h.APIVersion, h.Kind)
	if kind.Empty() {
		kind = implied
	}
	if kind.Kind == "" {
		return fmt.Errorf("%s has no kind; give each object its apiVersion and kind", place)
	}
	blank := kinds[kind]
	if blank == nil {
		if kind.Group == slipwayv1.GroupVersion.Group && kind.Version != slipwayv1.GroupVersion.Version {
			return fmt.Errorf("%s is of version %s, which this program does not know; use %s", place, kind.GroupVersion(), slipwayv1.GroupVersion)
		}
		return nil
	}
	o := blank()
	if err := kubejson.Unmarshal(text, o); err != nil {
		field, cause := fault(text, func() any { return blank() })
		return fmt.Errorf("%s (%s): %s: %w; correct it, or take the object out", place, kind.Kind, field, cause)
	}
	return in.take(place, kind.Kind, o)
}

// take an object that was read, once.
func (in *reader) take(place, kind string, o client.Object) error {
	if o.GetName() == "" {
		return fmt.Errorf("%s (%s): metadata.name is missing; name it", place, kind)
	}
	complete(o)
	key := kind + " " + o.GetName()
	if o.GetNamespace() != "" {
		key = kind + " " + o.GetNamespace() + "/" + o.GetName()
	}
	if before, twice := in.seen[key]; twice {
		return fmt.Errorf("%s is %s, which %s is, too; leave one of them out", place, key, before)
	}
	in.seen[key] = place
	in.snapshot.Add(o)
	return nil
}

// complete what the API server adds to each object, and people do not write.
func complete(o client.Object) {
	switch o.(type) {
	case *corev1.Node, *corev1.Namespace, *storagev1.StorageClass, *corev1.PersistentVolume, *slipwayv1.Project,
		*resourcev1.DeviceClass, *resourcev1.ResourceSlice, *schedulingv1.PriorityClass:
		o.SetNamespace("")
	default:
		if o.GetNamespace() == "" {
			o.SetNamespace(corev1.NamespaceDefault)
		}
	}
	if o.GetUID() == "" {
		o.SetUID(types.UID(o.GetNamespace() + "/" + o.GetName()))
	}
	if o.GetGeneration() == 0 {
		o.SetGeneration(1)
	}
}

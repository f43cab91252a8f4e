// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// errDead is what a scheduler gets that is dead.
var errDead = errors.New("the process has ended")

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

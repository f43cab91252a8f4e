// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"fmt"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Cache is what the manager needs to hold of a kind that no other room watches:
// the EndpointSlices of Models, which carry their Service's labels. A manager
// without it works too, and holds those of the whole cluster.
func Cache() map[client.Object]cache.ByObject {
	ours, err := labels.NewRequirement(slipwayv1.LabelModel, selection.Exists, nil)
	if err != nil {
		panic(err) // the label is a constant
	}
	return map[client.Object]cache.ByObject{
		&discoveryv1.EndpointSlice{}: {Label: labels.NewSelector().Add(*ours)},
	}
}

// watch keeps the table as the informers tell, and returns what says whether
// they have told everything once.
func (d *Door) watch(ctx context.Context, informers cache.Informers) ([]toolscache.InformerSynced, error) {
	var synced []toolscache.InformerSynced
	for _, w := range []struct {
		object client.Object
		handle func(object any, gone bool)
	}{
		{&slipwayv1.Model{}, d.seeModel},
		{&discoveryv1.EndpointSlice{}, d.seeSlice},
	} {
		informer, err := informers.GetInformer(ctx, w.object)
		if err != nil {
			return nil, fmt.Errorf("watching %T: %w", w.object, err)
		}
		registration, err := informer.AddEventHandler(handler(w.handle))
		if err != nil {
			return nil, fmt.Errorf("watching %T: %w", w.object, err)
		}
		synced = append(synced, registration.HasSynced)
	}
	return synced, nil
}

func handler(handle func(object any, gone bool)) toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { handle(object, false) },
		UpdateFunc: func(_, object any) { handle(object, false) },
		DeleteFunc: func(object any) {
			if last, unseen := object.(toolscache.DeletedFinalStateUnknown); unseen {
				object = last.Obj
			}
			handle(object, true)
		},
	}
}

func (d *Door) seeModel(object any, gone bool) {
	model, is := object.(*slipwayv1.Model)
	if !is {
		return
	}
	name := client.ObjectKeyFromObject(model)
	if gone {
		d.table.setModel(name, nil)
		d.metrics.forget(name)
		return
	}
	d.table.setModel(name, model)
}

func (d *Door) seeSlice(object any, gone bool) {
	slice, is := object.(*discoveryv1.EndpointSlice)
	if !is {
		return
	}
	model, ours := sliceOf(slice)
	switch {
	case !ours: // and was not ours either: a slice keeps its Service
	case gone:
		d.table.setSlice(model, slice.Name, nil)
	default:
		d.table.setSlice(model, slice.Name, readyAddresses(slice))
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"

	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// servesPodGroups says whether the cluster has Kubernetes' own kind of pod group, which
// a feature gate brings. Without it pods cannot name one either.
func servesPodGroups(mapper meta.RESTMapper) bool {
	kind := schema.GroupKind{Group: schedulingv1beta1.GroupName, Kind: "PodGroup"}
	_, err := mapper.RESTMapping(kind, schedulingv1beta1.SchemeGroupVersion.Version)
	return err == nil
}

// podGroup is one PodGroup.
type podGroup struct {
	// least pods that it starts with: one, unless it is a gang.
	least int32
	// placed says that its condition tells that it was.
	placed bool
}

func (l *ledger) setPodGroup(o *schedulingv1beta1.PodGroup) bool {
	next := podGroup{1, meta.IsStatusConditionTrue(o.Status.Conditions, schedulingv1beta1.PodGroupInitiallyScheduled)}
	if gang := o.Spec.SchedulingPolicy.Gang; gang != nil {
		next.least = gang.MinCount
	}
	key := client.ObjectKeyFromObject(o)
	known, is := l.podGroups[key]
	l.podGroups[key] = next
	untold := l.ripenUntold(key)
	if is && known.least == next.least {
		return untold
	}
	return l.regroup(key) || untold
}

// ripenUntold: a group of which a pod is bound is to say so. Telling it may have failed, or
// whoever was to tell it has died.
func (l *ledger) ripenUntold(name types.NamespacedName) bool {
	crew := l.crews[podGroupKey(name)]
	if crew == nil || !l.untold(name) {
		return false
	}
	first := crew.inOrder()[0]
	if first.node == "" {
		return false
	}
	l.ripe = append(l.ripe, first.name)
	return true
}

// untold says that a group is there and does not say that it was placed.
func (l *ledger) untold(name types.NamespacedName) bool {
	known, is := l.podGroups[name]
	return is && !known.placed
}

// toldPlaced notes that a group says it was placed.
func (l *ledger) toldPlaced(name types.NamespacedName) {
	if known, is := l.podGroups[name]; is {
		known.placed = true
		l.podGroups[name] = known
	}
}

func podGroupKey(name types.NamespacedName) string {
	return keyOf(name.Namespace, "podgroup/"+name.Name)
}

func (l *ledger) removePodGroup(o *schedulingv1beta1.PodGroup) bool {
	key := client.ObjectKeyFromObject(o)
	delete(l.podGroups, key)
	return l.regroup(key)
}

func (l *ledger) regroup(name types.NamespacedName) bool {
	key := podGroupKey(name)
	if l.groups[key] != nil {
		l.dirty[key] = true
	}
	return l.dirty[key]
}

// inNamespace marks the groups there: another project may be charged for them.
func (l *ledger) inNamespace(namespace string) bool {
	news := false
	for key := range maps.Keys(l.groups) {
		if l.groups[key].namespace == namespace {
			l.dirty[key], news = true, true
		}
	}
	return news
}

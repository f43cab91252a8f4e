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

// setPodGroup takes note of how many pods a group starts with: one, unless it is a gang.
func (l *ledger) setPodGroup(o *schedulingv1beta1.PodGroup) bool {
	least := int32(1)
	if gang := o.Spec.SchedulingPolicy.Gang; gang != nil {
		least = gang.MinCount
	}
	key := client.ObjectKeyFromObject(o)
	if known, is := l.podGroups[key]; is && known == least {
		return false
	}
	l.podGroups[key] = least
	return l.regroup(key)
}

func (l *ledger) removePodGroup(o *schedulingv1beta1.PodGroup) bool {
	key := client.ObjectKeyFromObject(o)
	delete(l.podGroups, key)
	return l.regroup(key)
}

func (l *ledger) regroup(name types.NamespacedName) bool {
	key := keyOf(name.Namespace, "podgroup/"+name.Name)
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

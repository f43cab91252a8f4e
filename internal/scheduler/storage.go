// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// noProvisioner is that of classes whose volumes people make.
const noProvisioner = "kubernetes.io/no-provisioner"

// storage is what the ledger knows of what pods mount.
type storage struct {
	claims map[types.NamespacedName]claim
	// volumes by name, and the nodes that reach them; nil for all.
	volumes map[string]*corev1.NodeSelector
	classes map[string]class
	// mounts are the pods, of those that this scheduler binds, that mount a claim.
	mounts map[types.NamespacedName]map[types.NamespacedName]bool
}

// claim is a PersistentVolumeClaim: its class, the volume once it is bound, and the
// node that the volume is made for.
type claim struct{ class, volume, node string }

// class is a StorageClass.
type class struct {
	// waits for the first pod before it makes a volume.
	waits bool
	// makes volumes; otherwise people do.
	makes bool
}

func newStorage() storage {
	return storage{map[types.NamespacedName]claim{}, map[string]*corev1.NodeSelector{}, map[string]class{},
		map[types.NamespacedName]map[types.NamespacedName]bool{}}
}

func (l *ledger) setClaim(o *corev1.PersistentVolumeClaim) bool {
	key := client.ObjectKeyFromObject(o)
	next := claim{class: ptr.Deref(o.Spec.StorageClassName, ""), node: o.Annotations[snapshot.AnnotationSelectedNode]}
	if o.Status.Phase == corev1.ClaimBound {
		next.volume = o.Spec.VolumeName
	}
	if old, known := l.claims[key]; known && old == next {
		return false
	}
	l.claims[key] = next
	return l.remount(key)
}

func (l *ledger) removeClaim(key types.NamespacedName) bool {
	delete(l.claims, key)
	return l.remount(key)
}

func (l *ledger) setVolume(o *corev1.PersistentVolume) bool {
	var nodes *corev1.NodeSelector
	if o.Spec.NodeAffinity != nil {
		nodes = o.Spec.NodeAffinity.Required
	}
	_, known := l.volumes[o.Name]
	l.volumes[o.Name] = nodes
	if known || o.Spec.ClaimRef == nil {
		return false
	}
	return l.remount(types.NamespacedName{Namespace: o.Spec.ClaimRef.Namespace, Name: o.Spec.ClaimRef.Name})
}

func (l *ledger) setClass(o *storagev1.StorageClass) bool {
	next := class{ptr.Deref(o.VolumeBindingMode, storagev1.VolumeBindingImmediate) == storagev1.VolumeBindingWaitForFirstConsumer,
		o.Provisioner != noProvisioner}
	if l.classes[o.Name] == next {
		return false
	}
	l.classes[o.Name] = next
	news := false
	for key, c := range l.claims {
		news = c.class == o.Name && l.remount(key) || news
	}
	return news
}

// remount looks again at the pods that mount a claim, and returns whether there are any.
func (l *ledger) remount(key types.NamespacedName) bool {
	for name := range l.mounts[key] {
		uid := l.uids[name]
		m := l.member(uid)
		if m == nil || m.node != "" {
			continue
		}
		l.ripe = append(l.ripe, name)
		if g := l.groups[l.crewOf[uid]]; g != nil && !m.seated {
			g.pods[uid] = l.applicant(g.pods[uid].pod)
			m.set = g.pods[uid].set.Name
			l.dirty[l.crewOf[uid]] = true
		}
	}
	return len(l.mounts[key]) > 0
}

// claimsOf a pod: those that it names, and those that are made for it alone.
func claimsOf(p *corev1.Pod) []types.NamespacedName {
	var names []types.NamespacedName
	for _, v := range p.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			names = append(names, types.NamespacedName{Namespace: p.Namespace, Name: v.PersistentVolumeClaim.ClaimName})
		case v.Ephemeral != nil:
			names = append(names, types.NamespacedName{Namespace: p.Namespace, Name: p.Name + "-" + v.Name})
		}
	}
	return names
}

// volumesOf a pod that are there, by the name of their claim, or what is missing.
func (l *ledger) volumesOf(p *corev1.Pod) (map[string]*corev1.NodeSelector, string) {
	nodes := map[string]*corev1.NodeSelector{}
	for _, key := range claimsOf(p) {
		c := l.claims[key]
		if problem := l.lacks(key); problem != "" && !l.classes[c.class].waits {
			return nil, problem
		}
		if where := l.volumes[c.volume]; where != nil {
			nodes[key.Name] = where
		}
	}
	return nodes, ""
}

// lacks says what a claim lacks before a pod that mounts it can be bound.
func (l *ledger) lacks(key types.NamespacedName) string {
	c, known := l.claims[key]
	_, there := l.volumes[c.volume]
	switch kind := l.classes[c.class]; {
	case !known:
		return fmt.Sprintf("there is no PersistentVolumeClaim %s; make it or name another", key.Name)
	case c.volume == "" && kind.waits && !kind.makes:
		return fmt.Sprintf("the class %s of claim %s makes no volumes; bind the claim to one by spec.volumeName", c.class, key.Name)
	case c.volume == "":
		return fmt.Sprintf("the claim %s has no volume yet", key.Name)
	case !there:
		return fmt.Sprintf("the PersistentVolume %s of claim %s is gone; restore it or make the claim anew", c.volume, key.Name)
	}
	return ""
}

// unready are the claims of a pod that are not bound, and why the pod waits for them;
// chosen are those whose volume is to be made for the pod's node.
func (l *ledger) unready(m *member, node string) (chosen []types.NamespacedName, why string) {
	for _, key := range m.claims {
		problem := l.lacks(key)
		if problem == "" {
			continue
		}
		why = problem
		if c := l.claims[key]; c.volume == "" && c.node != node && l.classes[c.class].waits && l.classes[c.class].makes {
			chosen = append(chosen, key)
		}
	}
	return chosen, why
}

// mount takes note of what a pod mounts; unmount forgets it.
func (l *ledger) mount(m *member) {
	for _, key := range m.claims {
		if l.mounts[key] == nil {
			l.mounts[key] = map[types.NamespacedName]bool{}
		}
		l.mounts[key][m.name] = true
	}
}

func (l *ledger) unmount(m *member) {
	for _, key := range slices.Clone(m.claims) {
		if delete(l.mounts[key], m.name); len(l.mounts[key]) == 0 {
			delete(l.mounts, key)
		}
	}
}

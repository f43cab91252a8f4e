// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	networkinginformers "k8s.io/client-go/informers/networking/v1"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"
)

// sources are the watched objects, stripped of what policies do not ask about.
type sources struct {
	namespaces toolscache.SharedIndexInformer
	pods       toolscache.SharedIndexInformer
	policies   toolscache.SharedIndexInformer
}

// newSources does not ask for finished pods: a cluster that runs jobs keeps many
// of them, and none has an address.
func newSources(client kubernetes.Interface) sources {
	unfinished := func(options *metav1.ListOptions) {
		options.FieldSelector = "status.phase!=Succeeded,status.phase!=Failed"
	}
	return sources{
		namespaces: coreinformers.NewNamespaceInformer(client, 0, toolscache.Indexers{}),
		pods:       coreinformers.NewFilteredPodInformer(client, metav1.NamespaceAll, 0, toolscache.Indexers{}, unfinished),
		policies:   networkinginformers.NewNetworkPolicyInformer(client, metav1.NamespaceAll, 0, toolscache.Indexers{}),
	}
}

func (s sources) all() []toolscache.SharedIndexInformer {
	return []toolscache.SharedIndexInformer{s.namespaces, s.pods, s.policies}
}

// start begins to watch. The channel holds a value while something has changed
// that nobody has looked at. ctx ends the watches; stop waits for that.
func (s sources) start(ctx context.Context) (changes <-chan struct{}, stop func()) {
	changed := make(chan struct{}, 1)
	notify(s.namespaces, changed, sameNamespace)
	notify(s.pods, changed, samePod)
	notify(s.policies, changed, samePolicy)
	var running sync.WaitGroup
	for _, informer := range s.all() {
		// The transformer can be refused only by an informer that runs already.
		_ = informer.SetTransform(strip)
		running.Go(func() { informer.RunWithContext(ctx) })
	}
	return changed, running.Wait
}

// synced waits until all objects that existed at the start are known. It is
// false if ctx ended before.
func (s sources) synced(ctx context.Context) bool {
	for _, informer := range s.all() {
		select {
		case <-ctx.Done():
			return false
		case <-informer.HasSyncedChecker().Done():
		}
	}
	return true
}

func (s sources) read() input {
	return input{
		namespaces: list[corev1.Namespace](s.namespaces),
		pods:       list[corev1.Pod](s.pods),
		policies:   list[networkingv1.NetworkPolicy](s.policies),
	}
}

func list[T any](informer toolscache.SharedIndexInformer) []*T {
	objects := informer.GetStore().List()
	found := make([]*T, 0, len(objects))
	for _, object := range objects {
		found = append(found, object.(*T))
	}
	return found
}

// notify reports what is added, deleted, or updated to something that is not the
// same for policies.
func notify[T any](informer toolscache.SharedIndexInformer, changed chan<- struct{}, same func(a, b *T) bool) {
	report := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	// The error says only that the informer has stopped.
	_, _ = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { report() },
		DeleteFunc: func(any) { report() },
		UpdateFunc: func(before, after any) {
			if !same(before.(*T), after.(*T)) {
				report()
			}
		},
	})
}

func sameNamespace(a, b *corev1.Namespace) bool {
	return maps.Equal(a.Labels, b.Labels)
}

func samePod(a, b *corev1.Pod) bool {
	return a.UID == b.UID && maps.Equal(a.Labels, b.Labels) && finished(a) == finished(b) &&
		equality.Semantic.DeepEqual(a.Spec, b.Spec) &&
		equality.Semantic.DeepEqual(a.Status.PodIPs, b.Status.PodIPs)
}

func samePolicy(a, b *networkingv1.NetworkPolicy) bool {
	return equality.Semantic.DeepEqual(a.Spec, b.Spec)
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/flowcontrol"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
)

// Events of one type, a second and at once. Kubelets send as many by default; see
// eventRecordQPS in https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/.
const (
	eventRate  = 50
	eventBurst = 1000
)

// frugal is a manager whose events are rationed: a fifth of what the API server does
// while thousands of gangs come and wait would be events, which nobody could read. What
// is left out nobody misses who reads conditions: an event tells that one has changed.
type frugal struct {
	ctrl.Manager
	rations map[string]flowcontrol.PassiveRateLimiter // by type, for warnings are few
}

func newFrugal(mgr ctrl.Manager) frugal {
	rations := map[string]flowcontrol.PassiveRateLimiter{}
	for _, kind := range []string{corev1.EventTypeNormal, corev1.EventTypeWarning} {
		rations[kind] = flowcontrol.NewTokenBucketPassiveRateLimiter(eventRate, eventBurst)
	}
	return frugal{mgr, rations}
}

// GetEventRecorder whose events come out of the rations.
func (f frugal) GetEventRecorder(name string) recorder.EventRecorder {
	return rationed{f.Manager.GetEventRecorder(name), f.rations}
}

// rationed leaves out what exceeds the ration of its type.
type rationed struct {
	recorder.EventRecorder
	rations map[string]flowcontrol.PassiveRateLimiter
}

// Eventf implements recorder.EventRecorder.
func (r rationed) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	if r.take(kind) {
		r.EventRecorder.Eventf(regarding, related, kind, reason, action, note, args...)
	}
}

// AnnotatedEventf implements recorder.EventRecorder.
func (r rationed) AnnotatedEventf(regarding, related runtime.Object, annotations map[string]string, kind, reason, action, note string, args ...any) {
	if r.take(kind) {
		r.EventRecorder.AnnotatedEventf(regarding, related, annotations, kind, reason, action, note, args...)
	}
}

// take from the ration of a type, if anything is left of it.
func (r rationed) take(kind string) bool {
	ration := r.rations[kind]
	return ration == nil || ration.TryAccept()
}

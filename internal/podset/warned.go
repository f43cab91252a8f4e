// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Warned remembers of what jobs were warned, so that each is told once and not in every pass. A
// controller that starts anew tells it once more. The zero value is ready.
type Warned struct{ told sync.Map }

// News is what a job is to be warned of now, in one line; empty when it was, or there is nothing.
func (w *Warned) News(job metav1.Object, what string) string {
	key, now := types.NamespacedName{Namespace: job.GetNamespace(), Name: job.GetName()}, warning{job.GetUID(), what}
	if now.text == "" {
		w.Forget(key)
		return ""
	}
	if before, was := w.told.Swap(key, now); was && before == now {
		return ""
	}
	return now.text
}

// warning of a job, and not of the next one of its name.
type warning struct {
	job  types.UID
	text string
}

// Forget a job that is gone, or has nothing to be warned of.
func (w *Warned) Forget(job types.NamespacedName) { w.told.Delete(job) }

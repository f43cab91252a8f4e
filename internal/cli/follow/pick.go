// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/internal/cli/workload"
)

// Pick says which pods' logs are wanted.
type Pick struct {
	// All pods; otherwise those of Rank.
	All bool
	// Rank of the pod, or Leading.
	Rank int32
}

// Leading is rank 0 of a job, and any pod that answers of a model.
const Leading int32 = -1

// Check refuses a rank that the workload has not.
func (p Pick) Check(w workload.Workload) error {
	if ranks := w.Ranks(); !p.All && p.Rank >= ranks {
		return fmt.Errorf("%s has no rank %d; use 0 to %d", w, p.Rank, ranks-1)
	}
	return nil
}

// Of returns the pods to read now, in rank order.
func (p Pick) Of(w workload.Workload) []corev1.Pod { return p.of(w, "") }

// Prefix of each line of a pod's log.
func (p Pick) Prefix(pod *corev1.Pod) string {
	if !p.All {
		return ""
	}
	return pod.Name + " | "
}

// of stays, of pods that are all alike, with the one that is read already.
func (p Pick) of(w workload.Workload, current string) []corev1.Pod {
	if p.All || len(w.Pods) == 0 {
		return w.Pods
	}
	rank := p.Rank
	if rank == Leading && w.Alike() {
		return []corev1.Pod{w.Pods[leading(w.Pods, current)]}
	}
	rank = max(rank, 0)
	for i := range w.Pods {
		if w.Rank(&w.Pods[i]) == rank {
			return w.Pods[i : i+1]
		}
	}
	return nil
}

func leading(pods []corev1.Pod, current string) int {
	named := func(pod corev1.Pod) bool { return pod.Name == current }
	ready := func(pod corev1.Pod) bool {
		return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
	}
	for _, wanted := range []func(corev1.Pod) bool{named, ready} {
		if i := slices.IndexFunc(pods, wanted); i >= 0 {
			return i
		}
	}
	return 0
}

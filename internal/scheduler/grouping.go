// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/clip"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// How pods without a Gang say that they belong together: a label with the group's
// name, and a label or an annotation with how many pods it takes to start.
const (
	// Of the coscheduling plugin of Kubernetes' scheduler.
	labelGroup      = "pod-group.scheduling.sigs.k8s.io/name"
	labelGroupLeast = "pod-group.scheduling.sigs.k8s.io/min-available"
	// Of Kueue, for plain pods.
	labelKueueGroup      = "kueue.x-k8s.io/pod-group-name"
	annotationKueueTotal = "kueue.x-k8s.io/pod-group-total-count"
)

// grouping says which gang a pod belongs to.
type grouping struct {
	// key of the gang, that of a Gang or one that no Gang can have.
	key string
	// gang says that there is to be a Gang.
	gang bool
	// least pods that the group starts with; zero when an object says it, podGroup.
	least    int32
	podGroup string
	// problem that keeps the pod, and with it its group, from starting.
	problem string
}

// groupingOf a pod that this scheduler binds: it is of a Gang, of a group of pods, or
// alone.
func groupingOf(p *corev1.Pod) grouping {
	if gang := p.Labels[slipwayv1.LabelGang]; gang != "" {
		return grouping{key: keyOf(p.Namespace, gang), gang: true}
	}
	if g := p.Spec.SchedulingGroup; g != nil && g.PodGroupName != nil {
		name := *g.PodGroupName
		return grouping{key: podGroupKey(types.NamespacedName{Namespace: p.Namespace, Name: name}), podGroup: name}
	}
	if name := p.Labels[labelGroup]; name != "" {
		least, problem := minimumOf(p)
		return grouping{key: keyOf(p.Namespace, "group/"+name), least: least, problem: problem}
	}
	if name := p.Labels[labelKueueGroup]; name != "" {
		least, problem := totalOf(p)
		return grouping{key: keyOf(p.Namespace, "group/"+name), least: least, problem: problem}
	}
	return grouping{key: keyOf(p.Namespace, "pod/"+p.Name), least: 1}
}

// GroupOf a pod that has no Gang, by the name that answers have of it: group/x, podgroup/x
// or pod/x, be it ended or not. It is empty for a pod of a Gang, and for one that names
// another scheduler.
func GroupOf(p *corev1.Pod) string {
	by := groupingOf(p)
	if by.gang || p.Spec.SchedulerName != slipwayv1.SchedulerName && !isHeld(p) {
		return ""
	}
	return nameOfKey(by.key).Name
}

// totalOf a group of Kueue's, that each of its pods has to say. Kueue refuses those that do
// not; started one by one they would be what nobody asked for.
func totalOf(p *corev1.Pod) (least int32, problem string) {
	text, is := p.Annotations[annotationKueueTotal]
	n, err := strconv.ParseInt(text, 10, 32)
	switch {
	case !is:
		return 1, fmt.Sprintf("its label %s names a group, and nothing says of how many pods; set the annotation %s to their number, on each of them", labelKueueGroup, annotationKueueTotal)
	case err != nil || n < 1:
		return 1, fmt.Sprintf("its annotation %s is %q; set it to the number of pods of the group, one or more", annotationKueueTotal, clip.Text(text, maxQuoted))
	}
	return int32(n), ""
}

// maxQuoted of what somebody wrote is quoted.
const maxQuoted = 64

// minimumOf a group of the coscheduling plugin's. Without a number, or with one below it, that is
// one, as the plugin has it; what is no number was meant to be one.
func minimumOf(p *corev1.Pod) (least int32, problem string) {
	text := p.Labels[labelGroupLeast]
	if text == "" {
		return 1, ""
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 1, fmt.Sprintf("metadata.labels[%s]: %q is no number of pods; write how many of the group it takes to start", labelGroupLeast, clip.Text(text, maxQuoted))
	}
	return int32(max(n, 1)), ""
}

// isOurs says that this scheduler sees to the pod's node, be it not yet or already.
func isOurs(p *corev1.Pod) bool {
	return chosenFor(p) && !snapshot.Ended(p) && (p.Spec.NodeName != "" || p.DeletionTimestamp == nil)
}

// placeOf a pod of a Gang: its set, and the rank that it says it has, be it as a pod of
// a gang or as one of an indexed Job; a negative one for none.
func placeOf(p *corev1.Pod) (set string, rank int32) {
	set = p.Labels[slipwayv1.LabelPodSet]
	for _, label := range []string{slipwayv1.LabelRank, batchv1.JobCompletionIndexAnnotation} {
		if n, err := strconv.ParseInt(p.Labels[label], 10, 32); err == nil && n >= 0 {
			return set, int32(n)
		}
	}
	return set, -1
}

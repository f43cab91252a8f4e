// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

func TestGangOfAJobThatIsNotThere(t *testing.T) {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "j", Namespace: "ns", Labels: map[string]string{slipwayv1.LabelQueueName: "team"}}}
	job.Spec.Parallelism, job.Spec.Completions = ptr.To[int32](8), ptr.To[int32](3)
	job.Labels[labelPriority] = "gone"
	job.Spec.Template.Spec.PriorityClassName = "fast"
	classes := podset.PriorityOf([]schedulingv1.PriorityClass{{ObjectMeta: metav1.ObjectMeta{Name: "fast"}, Value: 7}})
	gang, noClass, err := GangOf(job, classes)
	if err != nil || gang.Spec.Priority != 7 || strings.Join(noClass, " ") != "gone" {
		t.Fatalf("gang %+v without classes %v, %v; want priority 7, without class gone", gang, noClass, err)
	}
	if gang.Name != "job-j" || gang.Namespace != "ns" || gang.Spec.Project != "team" || gang.Spec.PodSets[0].Count != 3 {
		t.Errorf("gang %s/%s of %q with %d pods, want ns/job-j of team with 3", gang.Namespace, gang.Name, gang.Spec.Project, gang.Spec.PodSets[0].Count)
	}
	job.Annotations = map[string]string{slipwayv1.AnnotationMaxRunTime: "soon"}
	if _, _, err := GangOf(job, classes); err == nil || !strings.Contains(err.Error(), `"soon" is not a duration`) {
		t.Errorf("with a limit that is none: %v", err)
	}
}

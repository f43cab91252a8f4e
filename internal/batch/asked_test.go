// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func TestGangOfAJobThatIsNotThere(t *testing.T) {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "j", Namespace: "ns", Labels: map[string]string{slipwayv1.LabelQueueName: "team"}}}
	job.Spec.Parallelism, job.Spec.Completions = ptr.To[int32](8), ptr.To[int32](3)
	gang, err := GangOf(job)
	if err != nil {
		t.Fatal(err)
	}
	if gang.Name != "job-j" || gang.Namespace != "ns" || gang.Spec.Project != "team" || gang.Spec.PodSets[0].Count != 3 {
		t.Errorf("gang %s/%s of %q with %d pods, want ns/job-j of team with 3", gang.Namespace, gang.Name, gang.Spec.Project, gang.Spec.PodSets[0].Count)
	}
	job.Annotations = map[string]string{slipwayv1.AnnotationMaxRunTime: "soon"}
	if _, err := GangOf(job); err == nil || !strings.Contains(err.Error(), `"soon" is not a duration`) {
		t.Errorf("with a limit that is none: %v", err)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// shelf answers Get from the pods of a world.
type shelf struct {
	client.Client
	pods map[string]*corev1.Pod
}

func (s shelf) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	found, want := s.pods[key.Name], object.(*corev1.Pod)
	if found == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, key.Name)
	}
	found.DeepCopyInto(want)
	return nil
}

// A pod that the cache learns of between the listing of the job's pods and the
// asking for a name is the job's all the same: taken for another's, it blocked the
// job, which gave its place back and lost all its pods.
func TestPodThatAppearsAfterTheListingIsTheJobs(t *testing.T) {
	w := started(t, newJob(0, 1), "n1")
	in := w.observe()
	in.Pods = nil
	r := &reconciler{framework: in.Framework, client: shelf{pods: w.pods}}
	if err := r.observeNames(t.Context(), &in); err != nil {
		t.Fatal(err)
	}
	if in.Blocked.any() || len(in.Pods) != 1 {
		t.Errorf("%d pods, blocked by %v", len(in.Pods), in.Blocked)
	}
}

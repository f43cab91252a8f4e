// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestSetCondition(t *testing.T) {
	type step struct {
		t      kubeflowv1.JobConditionType
		status corev1.ConditionStatus
		reason string
	}
	const yes, no = corev1.ConditionTrue, corev1.ConditionFalse
	created, running := step{kubeflowv1.JobCreated, yes, "C"}, step{kubeflowv1.JobRunning, yes, "R"}
	restarting, failed := step{kubeflowv1.JobRestarting, yes, "A"}, step{kubeflowv1.JobFailed, yes, "F"}
	succeeded := step{kubeflowv1.JobSucceeded, yes, "S"}
	suspended, resumed := step{kubeflowv1.JobSuspended, yes, "S"}, step{kubeflowv1.JobSuspended, no, "R"}
	// Each condition as type, status, and the steps of lastUpdateTime and lastTransitionTime.
	type row struct {
		T          kubeflowv1.JobConditionType
		S          corev1.ConditionStatus
		Up, Change int64
	}
	tests := map[string]struct {
		steps []step
		want  []row
	}{
		"the newest is last":             {[]step{created, running}, []row{{"Created", yes, 0, 0}, {"Running", yes, 1, 1}}},
		"the same again changes nothing": {[]step{created, running, created}, []row{{"Created", yes, 0, 0}, {"Running", yes, 1, 1}}},
		"another reason moves it, the transition stays": {[]step{created, running, {kubeflowv1.JobCreated, yes, "D"}},
			[]row{{"Running", yes, 1, 1}, {"Created", yes, 2, 0}}},
		"restarting takes running away": {[]step{running, restarting}, []row{{"Restarting", yes, 1, 1}}},
		"running takes restarting away": {[]step{restarting, running}, []row{{"Running", yes, 1, 1}}},
		"success turns running off":     {[]step{running, succeeded}, []row{{"Running", no, 0, 0}, {"Succeeded", yes, 1, 1}}},
		"failed is final":               {[]step{running, failed, succeeded, restarting}, []row{{"Running", no, 0, 0}, {"Failed", yes, 1, 1}}},
		"suspended and back":            {[]step{suspended, resumed}, []row{{"Suspended", no, 1, 1}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var status kubeflowv1.JobStatus
			for i, s := range tt.steps {
				at := metav1.NewTime(time.Unix(int64(i), 0))
				setCondition(&status, kubeflowv1.JobCondition{Type: s.t, Status: s.status, Reason: s.reason, LastUpdateTime: at, LastTransitionTime: at})
			}
			var got []row
			for _, c := range status.Conditions {
				got = append(got, row{c.Type, c.Status, c.LastUpdateTime.Unix(), c.LastTransitionTime.Unix()})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func TestHowLongAJobRuns(t *testing.T) {
	for name, tt := range map[string]struct {
		annotation string
		deadline   *int64
		want       time.Duration // zero for no limit
		problem    string
	}{
		"nothing said":               {"", nil, 0, ""},
		"a deadline":                 {"", ptr.To[int64](90), 90 * time.Second, ""},
		"the annotation comes first": {"36h", ptr.To[int64](90), 36 * time.Hour, ""},
		"a deadline that is none":    {"", ptr.To[int64](math.MaxInt64), 0, ""},
		"no duration":                {"soon", nil, 0, `metadata.annotations[slipway.dev/max-run-time]: "soon" is not a duration; write one such as 36h or 90m`},
		"less than nothing":          {"-1h", nil, 0, `metadata.annotations[slipway.dev/max-run-time]: "-1h" is not a duration; write one such as 36h or 90m`},
	} {
		t.Run(name, func(t *testing.T) {
			job := &batchv1.Job{}
			var problems []string
			if tt.annotation != "" {
				metav1.SetMetaDataAnnotation(&job.ObjectMeta, slipwayv1.AnnotationMaxRunTime, tt.annotation)
			}
			if tt.problem != "" {
				problems = []string{tt.problem}
			}
			if got := ptr.Deref(Terms(job, tt.deadline).MaxRunTime, metav1.Duration{}).Duration; got != tt.want {
				t.Errorf("it runs for %s, want %s", got, tt.want)
			}
			if diff := cmp.Diff(problems, TermProblems(job)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"fmt"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/internal/podset"
)

// exceeds ends a job that has reached one of its own limits. Time without places does not
// count as active, neither before the first nor after they were taken away; that the places are
// gone may be seen when the deadline is over, too.
func (p *pass) exceeds() bool {
	if why := p.pastBackoff(); why != "" {
		p.finish(kubeflowv1.JobFailed, "Failed", fmt.Sprintf(
			"Job %s has failed because it has reached the specified backoff limit: %s", p.name(), why))
		return true
	}
	deadline := p.in.Job.RunPolicy().ActiveDeadlineSeconds
	start := p.out.Status.StartTime
	if deadline == nil || start == nil || !hasPlaces(p.in.Gang) || !p.started() && !p.underWay() {
		return false
	}
	left := start.Add(time.Duration(min(*deadline, podset.MaxDeadline)) * time.Second).Sub(p.in.Now)
	if left > 0 {
		p.wake(left)
		return false
	}
	p.finish(kubeflowv1.JobFailed, "Failed", fmt.Sprintf(
		"Job %s has failed because it was active longer than specified deadline: spec.runPolicy.activeDeadlineSeconds is %d; raise it to run longer",
		p.name(), *deadline))
	return true
}

// pastBackoff counts the restarts that the kubelet did in place, as upstream
// does, and the pods that were made again. A limit of zero allows none.
func (p *pass) pastBackoff() string {
	limit := p.in.Job.RunPolicy().BackoffLimit
	if limit == nil {
		return ""
	}
	n := p.ledger.failures()
	for _, r := range p.ranks {
		if r.state == alive && r.pod.Status.Phase == corev1.PodRunning && r.spec.RestartPolicy != kubeflowv1.RestartPolicyNever {
			n += containerRestarts(r.pod)
		}
	}
	if n < max(*limit, 1) {
		return ""
	}
	return fmt.Sprintf("its pods were restarted %d times and spec.runPolicy.backoffLimit is %d; see their logs", n, *limit)
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"fmt"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"slipway.dev/slipway/internal/training/frameworks"
)

func isSuspended(job frameworks.Job) bool { return ptr.Deref(job.RunPolicy().Suspend, false) }

// accept is the first thing that happens to a job.
func (p *pass) accept() {
	if !has(&p.out.Status, kubeflowv1.JobCreated) {
		p.set(kubeflowv1.JobCreated, corev1.ConditionTrue, "Created", p.createdMessage(""))
	}
}

// suspend takes everything away, whatever the clean-up policy says. Queues that
// suspend a job count its quota as free once nothing is active.
func (p *pass) suspend() {
	p.accept()
	for _, pod := range p.in.Pods {
		p.delete(pod, false)
	}
	for _, service := range p.in.Services {
		p.delete(service, false)
	}
	p.out.DropGang = p.in.Gang != nil && len(p.in.Pods) == 0
	for _, counts := range p.out.Status.ReplicaStatuses {
		counts.Active = 0
	}
	p.say(event{})
	if isTrue(&p.out.Status, kubeflowv1.JobSuspended) {
		return
	}
	message := fmt.Sprintf("%s %s is suspended.", p.in.Framework.Kind, p.name())
	for _, t := range []kubeflowv1.JobConditionType{kubeflowv1.JobRunning, kubeflowv1.JobRestarting} {
		if isTrue(&p.out.Status, t) {
			p.set(t, corev1.ConditionFalse, "Suspended", message)
		}
	}
	p.set(kubeflowv1.JobSuspended, corev1.ConditionTrue, "Suspended", message)
	p.emit(suspendedEvent(p.reason("Suspended"), message))
}

// resume restarts the clock of activeDeadlineSeconds, too, unless the job waits first: then
// the start of its pods does.
func (p *pass) resume() {
	if !isTrue(&p.out.Status, kubeflowv1.JobSuspended) {
		return
	}
	message := fmt.Sprintf("%s %s is resumed.", p.in.Framework.Kind, p.name())
	p.set(kubeflowv1.JobSuspended, corev1.ConditionFalse, "Resumed", message)
	p.out.Status.StartTime = &p.now
	p.emit(resumedEvent(p.reason("Resumed"), message))
}

// finish writes the end and does nothing else: what the end sets off is decided
// by the next pass, which sees it written.
func (p *pass) finish(end kubeflowv1.JobConditionType, word, message string) {
	if p.out.Status.CompletionTime == nil {
		p.out.Status.CompletionTime = &p.now
	}
	if end == kubeflowv1.JobSucceeded {
		for _, counts := range p.out.Status.ReplicaStatuses {
			counts.Succeeded += counts.Active
			counts.Active = 0
		}
	}
	p.set(end, corev1.ConditionTrue, word, message)
	p.emit(finishedEvent(end, p.reason(word), message))
}

// cleanUp follows cleanPodPolicy and ttlSecondsAfterFinished.
func (p *pass) cleanUp() {
	policy := p.cleanPodPolicy()
	kept, held := sets.New[string](), false
	for _, pod := range p.in.Pods {
		switch {
		case pod.DeletionTimestamp != nil:
			held = true
		case condemned(policy, pod.Status.Phase):
			held = true
			p.delete(pod, false)
		default:
			kept.Insert(pod.Name)
		}
	}
	for _, service := range p.in.Services {
		if policy != kubeflowv1.CleanPodPolicyNone && !kept.Has(service.Name) {
			p.delete(service, false)
		}
	}
	// The place is given back only when what is to go has gone, so that the next
	// gang on it is not refused by the kubelet.
	p.out.DropGang = p.in.Gang != nil && !held
	p.expire()
}

// cleanPodPolicy of the end. What still runs of a job that failed is ended also by None,
// upstream's default, by which upstream lets it run: past its deadline, past its backoff limit, or as
// the ranks that wait in vain for the one that died. The place is given back with the end, so that
// nobody would be charged for those, and no limit would hold. What has ended stays for its log.
// A job that succeeded leaves what still runs to its policy: it may be about to end well.
func (p *pass) cleanPodPolicy() kubeflowv1.CleanPodPolicy {
	policy := ptr.Deref(p.in.Job.RunPolicy().CleanPodPolicy, kubeflowv1.CleanPodPolicyNone)
	if policy == kubeflowv1.CleanPodPolicyNone && isTrue(&p.out.Status, kubeflowv1.JobFailed) {
		return kubeflowv1.CleanPodPolicyRunning
	}
	return policy
}

func condemned(policy kubeflowv1.CleanPodPolicy, phase corev1.PodPhase) bool {
	switch policy {
	case kubeflowv1.CleanPodPolicyAll:
		return true
	case kubeflowv1.CleanPodPolicyRunning:
		return phase == corev1.PodRunning || phase == corev1.PodPending
	}
	return false
}

// expire deletes the job when its time to live is over. A job that another
// controller finished may lack the completion time; it is set so that the time
// to live has a beginning.
func (p *pass) expire() {
	if p.out.Status.CompletionTime == nil {
		p.out.Status.CompletionTime = &p.now
	}
	ttl := p.in.Job.RunPolicy().TTLSecondsAfterFinished
	if ttl == nil {
		return
	}
	left := p.out.Status.CompletionTime.Add(time.Duration(*ttl) * time.Second).Sub(p.in.Now)
	if left <= 0 {
		p.out.DeleteJob = true
		return
	}
	p.wake(left)
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"fmt"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway.dev/slipway/internal/training/frameworks"
)

// count writes replicaStatuses anew. A running pod that is being deleted counts
// as failed, since on a node that is gone it never gets further, and so does one
// that ended because it was deleted.
func (p *pass) count() {
	counts := map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaStatus{}
	for t := range p.in.Job.Replicas() {
		selector := metav1.LabelSelector{MatchLabels: replicaLabels(p.in, t)}
		counts[t] = &kubeflowv1.ReplicaStatus{Selector: metav1.FormatLabelSelector(&selector)}
	}
	for _, r := range p.ranks {
		if r.pod == nil {
			continue
		}
		switch phase := r.pod.Status.Phase; {
		case r.state == done:
			counts[r.replica].Succeeded++
		case phase == corev1.PodFailed, phase != corev1.PodPending && r.state == leaving:
			counts[r.replica].Failed++
		case phase == corev1.PodRunning:
			counts[r.replica].Active++
		}
	}
	p.out.Status.ReplicaStatuses = counts
}

// judge ends the job when its replicas say so. Success comes first: a worker
// that dies after the master is done fails nothing.
func (p *pass) judge() bool {
	if p.verdict().Succeeded {
		p.finish(kubeflowv1.JobSucceeded, "Succeeded",
			fmt.Sprintf("%s %s is successfully completed.", p.in.Framework.Kind, p.name()))
		return true
	}
	for i := range p.ranks {
		p.book(&p.ranks[i])
	}
	for i := range p.ranks {
		if r := &p.ranks[i]; r.state == fatal {
			p.finish(kubeflowv1.JobFailed, "Failed", fmt.Sprintf(
				"%s %s is failed because %d %s replica(s) failed: %s %s; see its log",
				p.in.Framework.Kind, p.name(), p.out.Status.ReplicaStatuses[r.replica].Failed, r.replica,
				r.name, cause(r.pod, p.in.Framework.Container)))
			return true
		}
	}
	return false
}

func (p *pass) verdict() frameworks.Verdict {
	return p.in.Job.Verdict(p.out.Status.ReplicaStatuses)
}

// book enters a failed pod into the ledger and tells of it, once.
func (p *pass) book(r *rank) {
	container := p.in.Framework.Container
	var failures int32
	switch r.state {
	case retry:
		failures = 1 + containerRestarts(r.pod)
	case refused, fatal:
	default:
		return
	}
	if !p.ledger.note(r.key(), attemptOf(r.pod), failures) {
		return
	}
	if code, known := exitCode(r.pod, container); known {
		p.emit(exitedEvent(r.pod, code))
	}
	if r.state == refused {
		p.emit(replacedEvent(r.name, cause(r.pod, container)))
	}
}

// condition sets Running or Restarting. Once Restarting, the job is Running
// again when every pod that has a place is; otherwise the two would alternate
// while a pod is being replaced. A rank whose place was taken away does not
// count: the job has shrunk.
func (p *pass) condition() {
	running := isTrue(&p.out.Status, kubeflowv1.JobRunning)
	settled := true
	for i := range p.ranks {
		r := &p.ranks[i]
		if r.node == "" {
			continue
		}
		lost := r.state == leaving || r.state == refused || r.moved()
		if r.state == retry || lost && running {
			p.restarting(r.name + " " + p.whatHappened(r))
			return
		}
		if r.state != done && (r.state != alive || r.pod.Status.Phase != corev1.PodRunning) {
			settled = false
		}
	}
	if p.verdict().Running && (settled || !isTrue(&p.out.Status, kubeflowv1.JobRestarting)) {
		p.set(kubeflowv1.JobRunning, corev1.ConditionTrue, "Running",
			fmt.Sprintf("%s %s is running.", p.in.Framework.Kind, p.name()))
	}
}

func (p *pass) whatHappened(r *rank) string {
	node := nodeOf(r.pod)
	switch {
	case p.in.LostNodes.Has(node):
		return fmt.Sprintf("is on node %s, which is lost", node)
	case r.state == alive:
		return fmt.Sprintf("moves from node %s to %s", node, r.node)
	}
	return cause(r.pod, p.in.Framework.Container)
}

// restarting tells once for each time that the job stops running.
func (p *pass) restarting(why string) {
	if isTrue(&p.out.Status, kubeflowv1.JobRestarting) {
		return
	}
	message := fmt.Sprintf("%s %s is restarting because %s.", p.in.Framework.Kind, p.name(), why)
	p.set(kubeflowv1.JobRestarting, corev1.ConditionTrue, "Restarting", message)
	p.emit(restartingEvent(p.reason("Restarting"), message))
}

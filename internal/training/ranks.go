// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"strconv"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// rank is one pod that the job should have, and what there is of it.
type rank struct {
	replica kubeflowv1.ReplicaType
	spec    *kubeflowv1.ReplicaSpec
	index   int32
	// name of the pod and of its service.
	name string
	// node that the gang's placement gives to the rank; empty when none.
	node    string
	pod     *corev1.Pod
	service *corev1.Service
	state   state
}

// state of the pod of a rank.
type state int

const (
	absent  state = iota
	alive         // pending or running
	done          // succeeded
	leaving       // being deleted, by whomever
	refused       // failed for a reason of the machine's, not the job's
	retry         // failed, and the restart policy makes it again
	fatal         // failed for good
)

// key of the rank in the ledger and the unique end of its name.
func (r *rank) key() string { return rankKey(r.replica, r.index) }

func rankKey(replica kubeflowv1.ReplicaType, index int32) string {
	return podSetName(replica) + "-" + strconv.Itoa(int(index))
}

// moved says that the pod is not where the placement wants it. A pod that has
// succeeded needs no place any more.
func (r *rank) moved() bool {
	return r.pod != nil && r.state != done && nodeOf(r.pod) != r.node
}

// survey lines up what there is with what there should be, in rank order.
func (p *pass) survey() {
	pods := make(map[string]*corev1.Pod, len(p.in.Pods))
	for _, pod := range p.in.Pods {
		pods[pod.Name] = pod
	}
	services := make(map[string]*corev1.Service, len(p.in.Services))
	for _, service := range p.in.Services {
		services[service.Name] = service
	}
	p.ranks = ranksOf(p.in)
	for i := range p.ranks {
		r := &p.ranks[i]
		r.pod, r.service = pods[r.name], services[r.name]
		r.state = stateOf(r.pod, r.spec.RestartPolicy, p.in.Framework.Container)
	}
	p.readLedger()
}

// ranksOf lists the ranks that the spec asks for, with their places.
func ranksOf(in observed) []rank {
	var ranks []rank
	for _, t := range in.Framework.Types {
		spec := in.Job.Replicas()[t.Name]
		if spec == nil {
			continue
		}
		// More than that are refused; nothing is made of them on the way there.
		count := min(ptr.Deref(spec.Replicas, 1), maxReplicas)
		nodes := nodesOf(placementOf(in.Gang, podSetName(t.Name)), count)
		for i := range count {
			ranks = append(ranks, rank{
				replica: t.Name, spec: spec, index: i, node: nodes[i],
				name: rankName(in.Job.Object().GetName(), t.Name, i),
			})
		}
	}
	return ranks
}

// nodesOf so many ranks of a pod set; empty for those that have no place.
func nodesOf(place *slipwayv1.PodSetPlacement, count int32) []string {
	nodes := make([]string, max(count, 0))
	next := nodes
	for _, slot := range place.Slots {
		here := next[:max(0, min(int(slot.Count), len(next)))]
		for i := range here {
			here[i] = slot.Node
		}
		next = next[len(here):]
	}
	return nodes
}

// podSetName is the replica type in lower case, as in the names of pods.
func podSetName(replica kubeflowv1.ReplicaType) string { return strings.ToLower(string(replica)) }

// rankName is the name of a rank's pod and service.
func rankName(job string, replica kubeflowv1.ReplicaType, index int32) string {
	return job + "-" + rankKey(replica, index)
}

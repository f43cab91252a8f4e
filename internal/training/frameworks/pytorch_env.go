// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworks

import (
	"fmt"
	"strconv"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
)

// Env sets what a plain script reads (RANK, WORLD_SIZE, MASTER_*) and what
// torchrun reads instead of its flags (PET_*). RANK is the rank of the pod, not
// of the process: with one process to a pod the two are the same.
//
// Upstream sets ranks and address only where there is a master. Without one, and
// without an elastic policy, whose rendezvous gives the ranks, its workers know of
// one another that they are so many, and wait for somebody at their own address
// for ever; here the first worker is the master.
func (j pytorchJob) Env(replica kubeflowv1.ReplicaType, index int32) []corev1.EnvVar {
	env := []corev1.EnvVar{{Name: "PYTHONUNBUFFERED", Value: "1"}}
	switch {
	case j.Spec.PyTorchReplicaSpecs[master] != nil && replica == worker:
		env = append(env, j.rankEnv(master, index+1)...)
	case j.Spec.PyTorchReplicaSpecs[master] != nil:
		env = append(env, j.rankEnv(master, index)...)
	case j.Spec.ElasticPolicy == nil:
		env = append(env, j.rankEnv(worker, index)...)
	}
	if n := j.Spec.NprocPerNode; n != nil {
		env = append(env, corev1.EnvVar{Name: "PET_NPROC_PER_NODE", Value: *n})
	}
	if j.Spec.ElasticPolicy != nil {
		return append(env, j.elasticEnv()...)
	}
	return append(env, number("PET_NNODES", j.totalReplicas()))
}

// rankEnv of a pod of this rank, where the first of some type is the master.
func (j pytorchJob) rankEnv(first kubeflowv1.ReplicaType, rank int32) []corev1.EnvVar {
	port := j.portOf(first)
	address := fmt.Sprintf("%s-%s-0", j.Name, strings.ToLower(string(first)))
	return []corev1.EnvVar{
		number("MASTER_PORT", port), number("PET_MASTER_PORT", port),
		{Name: "MASTER_ADDR", Value: address}, {Name: "PET_MASTER_ADDR", Value: address},
		number("WORLD_SIZE", j.totalReplicas()*j.processes()),
		number("RANK", rank), number("PET_NODE_RANK", rank),
	}
}

func (j pytorchJob) elasticEnv() []corev1.EnvVar {
	e := j.Spec.ElasticPolicy
	backend := kubeflowv1.BackendC10D
	if e.RDZVBackend != nil {
		backend = *e.RDZVBackend
	}
	env := []corev1.EnvVar{
		{Name: "PET_RDZV_ENDPOINT", Value: j.rendezvous()},
		{Name: "PET_RDZV_BACKEND", Value: string(backend)},
		{Name: "PET_NNODES", Value: fmt.Sprintf("%d:%d", *e.MinReplicas, *e.MaxReplicas)},
	}
	if e.MaxRestarts != nil {
		env = append(env, number("PET_MAX_RESTARTS", *e.MaxRestarts))
	}
	if e.NProcPerNode != nil {
		env = append(env, number("PET_NPROC_PER_NODE", *e.NProcPerNode))
	}
	if e.RDZVID != nil {
		env = append(env, corev1.EnvVar{Name: "PET_RDZV_ID", Value: *e.RDZVID})
	}
	if len(e.RDZVConf) > 0 {
		env = append(env, corev1.EnvVar{Name: "PET_RDZV_CONF", Value: pairs(e.RDZVConf)})
	}
	if e.Standalone != nil && *e.Standalone {
		env = append(env, corev1.EnvVar{Name: "PET_STANDALONE"})
	}
	return env
}

func (j pytorchJob) rendezvous() string {
	e := j.Spec.ElasticPolicy
	host, port := fmt.Sprintf("%s-worker-0", j.Name), j.portOf(worker)
	if e.RDZVHost != nil {
		host = *e.RDZVHost
	}
	if e.RDZVPort != nil {
		port = *e.RDZVPort
	}
	return fmt.Sprintf("%s:%d", host, port)
}

func pairs(conf []kubeflowv1.RDZVConf) string {
	out := make([]string, len(conf))
	for i, c := range conf {
		out[i] = c.Key + "=" + c.Value
	}
	return strings.Join(out, ",")
}

func number(name string, n int32) corev1.EnvVar {
	return corev1.EnvVar{Name: name, Value: strconv.Itoa(int(n))}
}

func (j pytorchJob) totalReplicas() int32 {
	var total int32
	for _, spec := range j.Spec.PyTorchReplicaSpecs {
		total += *spec.Replicas
	}
	return total
}

// processes of one pod, as far as the spec tells: auto, cpu and gpu are known
// only inside the pod and count as one.
func (j pytorchJob) processes() int32 {
	if j.Spec.NprocPerNode == nil {
		return 1
	}
	n, err := strconv.ParseInt(*j.Spec.NprocPerNode, 10, 32)
	if err != nil {
		return 1
	}
	return int32(n)
}

// portOf finds the port that defaulting has made sure of.
func (j pytorchJob) portOf(replica kubeflowv1.ReplicaType) int32 {
	for _, container := range j.Spec.PyTorchReplicaSpecs[replica].Template.Spec.Containers {
		if container.Name != kubeflowv1.PyTorchJobDefaultContainerName {
			continue
		}
		for _, port := range container.Ports {
			if port.Name == kubeflowv1.PyTorchJobDefaultPortName {
				return port.ContainerPort
			}
		}
	}
	return kubeflowv1.PyTorchJobDefaultPort
}

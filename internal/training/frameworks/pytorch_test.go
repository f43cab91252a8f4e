// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// open makes a job with a master, unless masters is zero, and fills in defaults.
func open(masters, workers int32, change func(*kubeflowv1.PyTorchJobSpec)) Job {
	job := &kubeflowv1.PyTorchJob{}
	job.Name = "mnist"
	job.Spec.PyTorchReplicaSpecs = map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec{}
	for t, n := range map[kubeflowv1.ReplicaType]int32{master: masters, worker: workers} {
		if n > 0 {
			job.Spec.PyTorchReplicaSpecs[t] = &kubeflowv1.ReplicaSpec{Replicas: &n, Template: corev1.PodTemplateSpec{
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "pytorch", Image: "i"}}}}}
		}
	}
	change(&job.Spec)
	opened := PyTorch().Open(job)
	opened.Default()
	return opened
}

func TestPyTorchEnv(t *testing.T) {
	tests := map[string]struct {
		masters, workers int32
		change           func(*kubeflowv1.PyTorchJobSpec)
		replica          kubeflowv1.ReplicaType
		index            int32
		want             string
	}{
		"second worker of a job with a master": {1, 3, func(s *kubeflowv1.PyTorchJobSpec) { s.NprocPerNode = ptr.To("2") }, worker, 1,
			"PYTHONUNBUFFERED=1 MASTER_PORT=23456 PET_MASTER_PORT=23456 MASTER_ADDR=mnist-master-0 PET_MASTER_ADDR=mnist-master-0 " +
				"WORLD_SIZE=8 RANK=2 PET_NODE_RANK=2 PET_NPROC_PER_NODE=2 PET_NNODES=4"},
		"master with a port of its own": {1, 0, func(s *kubeflowv1.PyTorchJobSpec) {
			s.PyTorchReplicaSpecs[master].Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "pytorchjob-port", ContainerPort: 4000}}
		}, master, 0,
			"PYTHONUNBUFFERED=1 MASTER_PORT=4000 PET_MASTER_PORT=4000 MASTER_ADDR=mnist-master-0 PET_MASTER_ADDR=mnist-master-0 " +
				"WORLD_SIZE=1 RANK=0 PET_NODE_RANK=0 PET_NPROC_PER_NODE=auto PET_NNODES=1"},
		"workers only": {0, 2, func(*kubeflowv1.PyTorchJobSpec) {}, worker, 1,
			"PYTHONUNBUFFERED=1 MASTER_PORT=23456 PET_MASTER_PORT=23456 MASTER_ADDR=mnist-worker-0 PET_MASTER_ADDR=mnist-worker-0 " +
				"WORLD_SIZE=2 RANK=1 PET_NODE_RANK=1 PET_NPROC_PER_NODE=auto PET_NNODES=2"},
		"elastic, bare": {0, 2, func(s *kubeflowv1.PyTorchJobSpec) { s.ElasticPolicy = &kubeflowv1.ElasticPolicy{} }, worker, 0,
			"PYTHONUNBUFFERED=1 PET_NPROC_PER_NODE=auto PET_RDZV_ENDPOINT=mnist-worker-0:23456 PET_RDZV_BACKEND=c10d PET_NNODES=2:2"},
		"elastic, one bound": {0, 2, func(s *kubeflowv1.PyTorchJobSpec) {
			s.ElasticPolicy = &kubeflowv1.ElasticPolicy{MaxReplicas: ptr.To[int32](5)}
		}, worker, 0,
			"PYTHONUNBUFFERED=1 PET_NPROC_PER_NODE=auto PET_RDZV_ENDPOINT=mnist-worker-0:23456 PET_RDZV_BACKEND=c10d PET_NNODES=5:5"},
		"elastic, everything": {0, 2, func(s *kubeflowv1.PyTorchJobSpec) {
			s.ElasticPolicy = &kubeflowv1.ElasticPolicy{
				MinReplicas: ptr.To[int32](1), MaxReplicas: ptr.To[int32](4), MaxRestarts: ptr.To[int32](9),
				RDZVBackend: ptr.To(kubeflowv1.BackendETCD), RDZVHost: ptr.To("etcd"), RDZVPort: ptr.To[int32](2379), RDZVID: ptr.To("id"),
				RDZVConf:     []kubeflowv1.RDZVConf{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}},
				NProcPerNode: ptr.To[int32](8), Standalone: ptr.To(true),
			}
		}, worker, 0,
			"PYTHONUNBUFFERED=1 PET_RDZV_ENDPOINT=etcd:2379 PET_RDZV_BACKEND=etcd PET_NNODES=1:4 PET_MAX_RESTARTS=9 " +
				"PET_NPROC_PER_NODE=8 PET_RDZV_ID=id PET_RDZV_CONF=a=1,b=2 PET_STANDALONE="},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range open(tt.masters, tt.workers, tt.change).Env(tt.replica, tt.index) {
				got = append(got, e.Name+"="+e.Value)
			}
			if diff := cmp.Diff(strings.Split(tt.want, " "), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPyTorchVerdict(t *testing.T) {
	type counts map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaStatus
	none := func(*kubeflowv1.PyTorchJobSpec) {}
	elastic := func(s *kubeflowv1.PyTorchJobSpec) { s.ElasticPolicy = &kubeflowv1.ElasticPolicy{} }
	tests := map[string]struct {
		job    Job
		counts counts
		want   Verdict
	}{
		"workers wait for the master": {open(1, 2, none), counts{master: {}, worker: {Active: 2}}, Verdict{}},
		"the master runs":             {open(1, 2, none), counts{master: {Active: 1}, worker: {}}, Verdict{Running: true}},
		"the master is done":          {open(1, 2, none), counts{master: {Succeeded: 1}, worker: {Active: 2}}, Verdict{Succeeded: true}},
		"one of two workers is done":  {open(0, 2, none), counts{worker: {Active: 1, Succeeded: 1}}, Verdict{Running: true}},
		"all workers are done":        {open(0, 2, none), counts{worker: {Succeeded: 2}}, Verdict{Succeeded: true}},
		"one elastic worker is done":  {open(0, 2, elastic), counts{worker: {Active: 1, Succeeded: 1}}, Verdict{Running: true, Succeeded: true}},
		"no elastic worker has begun": {open(0, 2, elastic), counts{worker: {}}, Verdict{}},
	}
	for name, tt := range tests {
		if got := tt.job.Verdict(tt.counts); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestPyTorchLeader(t *testing.T) {
	none := func(*kubeflowv1.PyTorchJobSpec) {}
	with, without := open(1, 2, none), open(0, 2, none)
	if !with.Leads(master, 0) || with.Leads(worker, 0) || !without.Leads(worker, 0) || without.Leads(worker, 1) {
		t.Error("the leader is the master or, without one, the first worker, and nobody else")
	}
}

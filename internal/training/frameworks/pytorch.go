// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworks

import (
	"fmt"
	"strconv"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	master = kubeflowv1.PyTorchJobReplicaTypeMaster
	worker = kubeflowv1.PyTorchJobReplicaTypeWorker
)

// PyTorch describes PyTorchJob of kubeflow.org/v1.
func PyTorch() Framework {
	return Framework{
		Kind:      kubeflowv1.PyTorchJobKind,
		Resource:  kubeflowv1.PyTorchJobPlural,
		SpecField: "pytorchReplicaSpecs",
		Container: kubeflowv1.PyTorchJobDefaultContainerName,
		Port:      kubeflowv1.PyTorchJobDefaultPortName,
		Types:     []Type{{Name: master, Single: true}, {Name: worker}},
		New:       func() client.Object { return &kubeflowv1.PyTorchJob{} },
		NewList:   func() client.ObjectList { return &kubeflowv1.PyTorchJobList{} },
		Open:      func(o client.Object) Job { return pytorchJob{o.(*kubeflowv1.PyTorchJob)} },
	}
}

type pytorchJob struct{ *kubeflowv1.PyTorchJob }

func (j pytorchJob) Object() client.Object            { return j.PyTorchJob }
func (j pytorchJob) RunPolicy() *kubeflowv1.RunPolicy { return &j.Spec.RunPolicy }
func (j pytorchJob) Status() *kubeflowv1.JobStatus    { return &j.PyTorchJob.Status }
func (j pytorchJob) Default()                         { kubeflowv1.SetDefaults_PyTorchJob(j.PyTorchJob) }
func (j pytorchJob) Replicas() map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec {
	return j.Spec.PyTorchReplicaSpecs
}

func (j pytorchJob) Problems() []string {
	var problems []string
	if n := j.Spec.NprocPerNode; n != nil && !validProcesses(*n) {
		problems = append(problems, fmt.Sprintf("spec.nprocPerNode: %q is not a number of processes; write auto, cpu, gpu or a whole number above zero", *n))
	}
	elastic := j.Spec.ElasticPolicy
	if elastic == nil {
		return problems
	}
	if !j.declares(worker) {
		problems = append(problems, "spec.elasticPolicy: there is no Worker to scale; add pytorchReplicaSpecs.Worker or remove elasticPolicy")
	}
	if elastic.NProcPerNode != nil && j.Spec.NprocPerNode != nil {
		problems = append(problems, "spec.elasticPolicy.nProcPerNode: set together with spec.nprocPerNode; keep spec.nprocPerNode only")
	}
	low, high := elastic.MinReplicas, elastic.MaxReplicas
	if low != nil && high != nil && *low > *high {
		problems = append(problems, fmt.Sprintf("spec.elasticPolicy: minReplicas %d is above maxReplicas %d; lower the first or raise the second", *low, *high))
	}
	return problems
}

func (j pytorchJob) Ignored() []string {
	if e := j.Spec.ElasticPolicy; e != nil && len(e.Metrics) > 0 {
		return []string{"spec.elasticPolicy.metrics: nothing scales the job by them; set replicas of Worker, by hand or with kubectl scale"}
	}
	return nil
}

func validProcesses(s string) bool {
	switch s {
	case "auto", "cpu", "gpu":
		return true
	}
	n, err := strconv.Atoi(s)
	return err == nil && n > 0
}

// declares looks for the type in any case, as it is before defaulting.
func (j pytorchJob) declares(replica kubeflowv1.ReplicaType) bool {
	for t := range j.Spec.PyTorchReplicaSpecs {
		if strings.EqualFold(string(t), string(replica)) {
			return true
		}
	}
	return false
}

// Leads is the master or, where there is none, the first worker: upstream's
// clients read that one's log by default.
func (j pytorchJob) Leads(replica kubeflowv1.ReplicaType, index int32) bool {
	if j.Spec.PyTorchReplicaSpecs[master] != nil {
		return replica == master
	}
	return replica == worker && index == 0
}

func (j pytorchJob) MinReplicas(replica kubeflowv1.ReplicaType) *int32 {
	if replica != worker || j.Spec.ElasticPolicy == nil {
		return nil
	}
	return j.Spec.ElasticPolicy.MinReplicas
}

// Verdict follows the master where there is one. Without, every worker must
// succeed; with an elastic policy one is enough, because the rendezvous of
// torch elastic ends for all workers at once.
func (j pytorchJob) Verdict(counts map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaStatus) Verdict {
	if j.Spec.PyTorchReplicaSpecs[master] != nil {
		return Verdict{Running: counts[master].Active > 0, Succeeded: counts[master].Succeeded > 0}
	}
	workers := counts[worker]
	needed := *j.Spec.PyTorchReplicaSpecs[worker].Replicas
	if j.Spec.ElasticPolicy != nil {
		needed = 1
	}
	return Verdict{
		Running:   workers.Active > 0,
		Succeeded: workers.Succeeded > 0 && workers.Succeeded >= needed,
	}
}

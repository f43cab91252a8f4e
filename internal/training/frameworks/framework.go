// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package frameworks says, one small file for each, what a kind of training
// job adds to the engine in package training: its replica types in rank order,
// its default container and port, its environment and its rule of success.
//
// Everything else (gangs, pods, restarts, limits, status) is the engine's and
// the same for every kind. A new kind is a new file here and a line in All.
package frameworks

import (
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Framework describes one kind of job.
type Framework struct {
	// Kind as in a manifest, "PyTorchJob"; it also begins every condition's reason.
	Kind string
	// Resource is the plural that roles name, "pytorchjobs".
	Resource string
	// SpecField holds the replica specs, "pytorchReplicaSpecs"; messages name it.
	SpecField string
	// Container is the name that one container of every replica must have. Its
	// exit code decides under the ExitCode policy and its ports are the service's.
	Container string
	// Port is the name of the port that replicas reach each other at, which
	// defaulting adds to that container.
	Port string
	// Types in rank order.
	Types []Type
	// New returns an empty job to decode into, NewList a list of them.
	New     func() client.Object
	NewList func() client.ObjectList
	// Open gives the engine its view of a job that New made.
	Open func(client.Object) Job
}

// Type is one replica type.
type Type struct {
	Name kubeflowv1.ReplicaType
	// Single means exactly one replica.
	Single bool
}

// Job is the engine's view of one job. Its methods read and write the object
// that was opened; none does I/O.
type Job interface {
	Object() client.Object
	Replicas() map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec
	RunPolicy() *kubeflowv1.RunPolicy
	Status() *kubeflowv1.JobStatus

	// Problems are the kind's own reasons to refuse the spec, each one line with
	// field, cause and fix. It is asked before Default, after the engine has
	// made sure that every replica type is known and has containers.
	Problems() []string
	// Ignored are parts of the spec that are accepted and not followed, each one
	// line with field, consequence and what to do.
	Ignored() []string
	// Default fills in upstream's defaults. Only for a spec without problems:
	// upstream's functions panic on others.
	Default()

	// Env is appended to every container of the replica, in this order.
	Env(replica kubeflowv1.ReplicaType, index int32) []corev1.EnvVar
	// Leads says which replica carries the label job-role=master, by which
	// clients find the log that matters.
	Leads(replica kubeflowv1.ReplicaType, index int32) bool
	// MinReplicas is how many replicas of the type are enough to start; nil is all.
	MinReplicas(replica kubeflowv1.ReplicaType) *int32
	// Verdict judges the job by what its replicas do.
	Verdict(map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaStatus) Verdict
}

// Verdict on a job that has not failed.
type Verdict struct {
	Running, Succeeded bool
}

// All kinds that the engine runs.
func All() []Framework {
	return []Framework{PyTorch()}
}

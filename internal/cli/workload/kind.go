// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"slices"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Kind is one kind of workload. A new kind is a new line in Kinds and a file
// with its state.
type Kind struct {
	// Name as in pytorchjob/tiny; aliases are what people write as well.
	Name    string
	aliases []string
	// Title is the kind as in a manifest, of this API group.
	Title, group string
	// Serves says that it answers requests until it is deleted; others end.
	Serves bool
	// Label on the workload's pods and gangs holds the workload's name.
	Label string
	// maker of its pods, where it does not make them itself: a ReplicaSet of a Deployment whose name begins so.
	maker func(name string) string
	// Container is the one whose log matters, empty for a pod's first.
	Container string
	// New and NewList make objects to decode into.
	New     func() client.Object
	NewList func() client.ObjectList
	state   func(Workload) State
	// rank of a pod and how many ranks there are; nil for pods that are all alike.
	rank  func(Workload, map[string]string) (int32, bool)
	ranks func(Workload) int32
}

// Kinds that commands know.
func Kinds() []Kind { return []Kind{PyTorchJob(), Job(), Model()} }

// PyTorchJob of kubeflow.org/v1.
func PyTorchJob() Kind {
	return Kind{
		Name: "pytorchjob", aliases: []string{"pytorchjobs", "pytorchjobs.kubeflow.org"}, Title: kubeflowv1.PyTorchJobKind, group: kubeflowv1.GroupVersion.Group,
		Label: kubeflowv1.JobNameLabel, Container: kubeflowv1.PyTorchJobDefaultContainerName,
		New:     func() client.Object { return &kubeflowv1.PyTorchJob{} },
		NewList: func() client.ObjectList { return &kubeflowv1.PyTorchJobList{} },
		state:   pytorchState, rank: pytorchRank, ranks: pytorchRanks,
	}
}

// Job of batch/v1.
func Job() Kind {
	return Kind{
		Name: "job", aliases: []string{"jobs", "jobs.batch"}, Title: "Job", group: batchv1.GroupName,
		Label:   batchv1.JobNameLabel,
		New:     func() client.Object { return &batchv1.Job{} },
		NewList: func() client.ObjectList { return &batchv1.JobList{} },
		state:   jobState, rank: jobRank, ranks: jobRanks,
	}
}

// Model of slipway.dev.
func Model() Kind {
	return Kind{
		Name: "model", aliases: []string{"models", "mdl", "models.slipway.dev"}, Title: "Model", group: slipwayv1.GroupVersion.Group, Serves: true,
		Label: slipwayv1.LabelModel, maker: slipwayv1.ModelService,
		New:     func() client.Object { return &slipwayv1.Model{} },
		NewList: func() client.ObjectList { return &slipwayv1.ModelList{} },
		state:   modelState,
	}
}

// IsLoose says that workloads of the kind are pods and no more; see Loose.
func (k Kind) IsLoose() bool { return k.Label == "" }

// KindOf an object, false when it is no workload. Other groups have kinds of the
// same names.
func KindOf(object client.Object) (Kind, bool) {
	is := object.GetObjectKind().GroupVersionKind().GroupKind()
	i := slices.IndexFunc(Kinds(), func(k Kind) bool { return k.Title == is.Kind && k.group == is.Group })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds()[i], true
}

// Ref is what people write to name a workload: kind/name, or a name alone.
type Ref struct {
	// Kinds that it may be of: one when the kind was written.
	Kinds []Kind
	Name  string
}

// ParseRef reads kind/name or a name. A kind that is none of Kinds is a loose one.
func ParseRef(text string) (Ref, error) {
	kind, name, qualified := strings.Cut(text, "/")
	if !qualified {
		name = text
	}
	if kind == "" || name == "" || strings.Contains(name, "/") {
		return Ref{}, fmt.Errorf("%q names no workload; write NAME or KIND/NAME, such as pytorchjob/tiny", text)
	}
	if !qualified {
		return Ref{Kinds: Kinds(), Name: name}, nil
	}
	return Ref{Kinds: []Kind{parseKind(kind)}, Name: name}, nil
}

func parseKind(text string) Kind {
	word := strings.ToLower(text)
	for _, k := range Kinds() {
		if k.Name == word || slices.Contains(k.aliases, word) {
			return k
		}
	}
	return parseLoose(text)
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Project is a team: a namespace, its members, and its share of the cluster.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=prj,categories=slipway
// +kubebuilder:printcolumn:name="Parent",type=string,JSONPath=`.spec.parent`
// +kubebuilder:printcolumn:name="Placed",type=integer,JSONPath=`.status.placed`
// +kubebuilder:printcolumn:name="Waiting",type=integer,JSONPath=`.status.waiting`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.spec) || !has(self.spec.parent) || self.spec.parent != self.metadata.name",message="spec.parent names the project itself; name another project or leave it out",fieldPath=".spec.parent"
type Project struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ProjectSpec   `json:"spec,omitempty"`
	Status ProjectStatus `json:"status,omitempty"`
}

// ProjectSpec is who belongs to a project and what it may use.
type ProjectSpec struct {
	// Parent project; quota flows down the tree. Unset means the root.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$')",message="no project can have that name; use lower-case letters, digits, - and ., a letter or digit first and last, or leave it out"
	Parent string `json:"parent,omitempty"`

	// Members and their role in the project's namespace.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	Members []Member `json:"members,omitempty"`

	// Quota of the project; resources that it does not name are shared freely.
	// +optional
	// +listType=map
	// +listMapKey=resource
	// +listMapKey=kind
	// +kubebuilder:validation:MaxItems=64
	Quota []Quota `json:"quota,omitempty"`

	// Priority of the project when siblings compete for what is guaranteed to nobody:
	// the higher is served first. It takes nothing from those that run.
	// +optional
	// +kubebuilder:validation:Minimum=-1000000
	// +kubebuilder:validation:Maximum=1000000
	Priority int32 `json:"priority,omitempty"`

	// Weight of the project when siblings of one priority compete for what is idle.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Weight int32 `json:"weight,omitempty"`

	// Security is the Pod Security Standard that the namespace enforces.
	// +optional
	// +kubebuilder:default=baseline
	// +kubebuilder:validation:Enum=privileged;baseline;restricted
	Security string `json:"security,omitempty"`
}

// Member is a user, group or service account with a role.
type Member struct {
	rbacv1.Subject `json:",inline"`
	// Role: viewers read, members run workloads, admins also manage members.
	// +kubebuilder:validation:Enum=viewer;member;admin
	// +kubebuilder:default=member
	Role string `json:"role,omitempty"`
}

// Quota of one resource. That guaranteed is at most limit is checked by the
// scheduler, which says so in the Project's conditions: the cost of comparing
// quantities in a schema exceeds what the API server allows for a list. So does
// comparing types with ==, which the API server takes for long, but not with in. Numbers are
// cheap, so that text is made one, where it is no text with a unit.
//
// +kubebuilder:validation:XValidation:rule="!self.resource.contains('/') || type(self.guaranteed) in [int] || ['k', 'M', 'G', 'T', 'P', 'E', 'i'].exists(u, self.guaranteed.endsWith(u)) || !['m', 'u', 'n'].exists(u, self.guaranteed.endsWith(u)) && double(self.guaranteed) == double(int(double(self.guaranteed)))",message="guaranteed is no whole number, and nobody can ask for a part of a device; use one without a unit",fieldPath=".guaranteed"
// +kubebuilder:validation:XValidation:rule="!has(self.limit) || !self.resource.contains('/') || type(self.limit) in [int] || ['k', 'M', 'G', 'T', 'P', 'E', 'i'].exists(u, self.limit.endsWith(u)) || !['m', 'u', 'n'].exists(u, self.limit.endsWith(u)) && double(self.limit) == double(int(double(self.limit)))",message="limit is no whole number, and nobody can ask for a part of a device; use one without a unit",fieldPath=".limit"
type Quota struct {
	// Resource name: cpu, memory, nvidia.com/gpu, …
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`
	Resource corev1.ResourceName `json:"resource"`
	// Kind of nodes that the quota is for, as they are labelled with the type of
	// their GPUs (nvidia.com/gpu.product, …). Empty means all nodes.
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`
	// Guaranteed to the project whenever it asks.
	// +kubebuilder:validation:XValidation:rule="type(self) in [int] ? self >= 0 : !self.startsWith('-')",message="guaranteed is negative; use zero or more"
	Guaranteed resource.Quantity `json:"guaranteed"`
	// Limit, borrowing included. Unset means whatever is idle.
	// +optional
	// +kubebuilder:validation:XValidation:rule="type(self) in [int] ? self >= 0 : !self.startsWith('-')",message="limit is negative; use zero or more, or leave it out"
	Limit *resource.Quantity `json:"limit,omitempty"`
}

// ProjectStatus is the state of a project.
type ProjectStatus struct {
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Namespace of the project.
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// Usage of what the project has a quota of, by its gangs and by those of the
	// projects below it.
	// +optional
	// +listType=map
	// +listMapKey=resource
	// +listMapKey=kind
	Usage []Usage `json:"usage,omitempty"`
	// PastUsage of the project itself, for a scheduler that starts.
	// +optional
	// +structType=atomic
	PastUsage *PastUsage `json:"pastUsage,omitempty"`
	// Placed and Waiting are how many gangs of the project itself are.
	// +optional
	Placed int32 `json:"placed,omitempty"`
	// +optional
	Waiting int32 `json:"waiting,omitempty"`
}

// PastUsage is what decides whose turn it is beside what is used now, and for how long runs
// are expected to go on.
type PastUsage struct {
	// Time up to which it was counted.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.]\d+)?(Z|[-+]([01]\d|2[0-3]):[0-5]\d)$`
	Time metav1.Time `json:"time"`
	// Mean of what was used, in which what was a week before Time counts half.
	Mean corev1.ResourceList `json:"mean"`
	// Users who used most of it, with their part.
	// +optional
	// +listType=atomic
	Users []UserUsage `json:"users,omitempty"`
	// Runs of the kinds that ended last.
	// +optional
	// +listType=atomic
	Runs []RunTimes `json:"runs,omitempty"`
}

// UserUsage is a user's part of a mean.
type UserUsage struct {
	// Name is empty for jobs of which it is not known whose they are.
	Name string              `json:"name"`
	Mean corev1.ResourceList `json:"mean"`
}

// RunTimes of runs of one kind, which are expected to take equally long.
type RunTimes struct {
	// Kind is a namespace and what the names of such runs have in common.
	Kind string `json:"kind"`
	// Seconds that the last ones took, the latest last.
	// +listType=atomic
	Seconds []int64 `json:"seconds"`
}

// Usage of a resource, on nodes of one kind or on all.
type Usage struct {
	Resource corev1.ResourceName `json:"resource"`
	// +kubebuilder:default=""
	Kind string            `json:"kind"`
	Used resource.Quantity `json:"used"`
	// Borrowed is what is used beyond what is guaranteed.
	// +optional
	Borrowed *resource.Quantity `json:"borrowed,omitempty"`
}

// ProjectList is a list of Projects.
//
// +kubebuilder:object:root=true
type ProjectList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Project `json:"items"`
}

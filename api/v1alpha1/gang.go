// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Gang is a set of pods that is placed whole, on one view of the cluster, or
// waits with a reason. Controllers make one for each workload that wants to
// run and delete it when the workload no longer wants resources; its status is
// written by the scheduler alone.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=gg,categories=slipway
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.spec.project`
// +kubebuilder:printcolumn:name="Placed",type=string,JSONPath=`.status.conditions[?(@.type=="Placed")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Placed")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Placed")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Gang struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec and Status have one writer each, who writes them whole. That they are atomic
	// spares the API server a book of whose each of their fields is, which it would compare
	// and store again with every write: it was a quarter of what a write costs.

	// +structType=atomic
	Spec GangSpec `json:"spec"`
	// +structType=atomic
	Status GangStatus `json:"status,omitempty"`
}

// GangSpec is what a workload asks for.
type GangSpec struct {
	// Project whose quota is charged. Empty means the namespace's own project.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Project string `json:"project,omitempty"`

	// User who made the workload, among whom the project's share is divided again.
	// +optional
	User string `json:"user,omitempty"`

	// Priority within the queue; higher is decided first. From the workload's
	// PriorityClass or, when it names none, the cluster's default one; zero when
	// there is none.
	// +optional
	Priority int32 `json:"priority,omitempty"`

	// MaxRunTime is the longest that the workload may run once placed. The
	// scheduler plans with it; it does not kill.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s')",message="use a duration of zero or more, such as 90m or 36h, or leave it out"
	MaxRunTime *metav1.Duration `json:"maxRunTime,omitempty"`

	// MinRunTime is for how long after its start the gang gives way to no other.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s')",message="use a duration of zero or more, such as 90m or 36h, or leave it out"
	MinRunTime *metav1.Duration `json:"minRunTime,omitempty"`

	// LastCheckpoint is when the workload last saved what it had done.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.]\d+)?(Z|[-+]([01]\d|2[0-3]):[0-5]\d)$`
	LastCheckpoint *metav1.Time `json:"lastCheckpoint,omitempty"`

	// PodSets are placed together. Pods of one set are alike.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	PodSets []PodSet `json:"podSets"`
}

// PodSet is a number of like pods.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minCount) || self.minCount <= self.count",message="minCount is above count; set minCount to at most count, or leave it out to require every pod"
type PodSet struct {
	// Name is unique in the gang; by convention the replica type in lower case.
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// Count is how many pods the set has.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	Count int32 `json:"count"`

	// MinCount is how many pods are enough to run. The gang starts when it has as many,
	// grows to Count where there is room that nobody else starts in, goes on without
	// pods that lost their node, and gives those beyond it up before it gives way
	// whole. Unset means all.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MinCount *int32 `json:"minCount,omitempty"`

	// Requests of one pod: containers, init containers and overhead together,
	// computed as Kubernetes does. The pods themselves need not be listed.
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`

	// Devices of one pod that its resource claims ask for (dynamic resource allocation).
	// The default scheduler allocates them, on the node that the gang is given.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Devices []DeviceRequest `json:"devices,omitempty"`

	// Labels that all pods of the set have, for the affinity of others and their own.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// NodeSelector, Affinity, Tolerations and TopologySpreadConstraints mean what they
	// mean in a pod.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// +optional
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// +optional
	// +listType=atomic
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// HostPorts that one pod binds on its node.
	// +optional
	// +listType=atomic
	HostPorts []HostPort `json:"hostPorts,omitempty"`

	// Spread puts each pod on the emptiest node, instead of keeping nodes free for large
	// gangs.
	// +optional
	Spread bool `json:"spread,omitempty"`

	// Topology asks for pods close to one another.
	// +optional
	Topology *Topology `json:"topology,omitempty"`
}

// DeviceRequest asks for devices of one class.
type DeviceRequest struct {
	// DeviceClass that they are of. What is used of it is counted as the resource
	// CLASS.deviceclass.resource.k8s.io/devices.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	DeviceClass string `json:"deviceClass"`
	// Count of devices.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Count int64 `json:"count"`
	// Selectors are CEL expressions that hold for each of them, beside those of the class.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Selectors []string `json:"selectors,omitempty"`
}

// HostPort is a port of the node that a pod binds.
type HostPort struct {
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
	// +kubebuilder:default=TCP
	// +optional
	Protocol corev1.Protocol `json:"protocol,omitempty"`
	// IP is the node address bound; empty means all of them.
	// +optional
	IP string `json:"ip,omitempty"`
}

// Topology keeps pods of a set close to one another. A domain of a node label is the
// nodes that share its value.
type Topology struct {
	// Required is a node label: all pods in one domain of it, or the gang waits.
	// +optional
	// +kubebuilder:validation:MaxLength=317
	Required string `json:"required,omitempty"`
	// Preferred is a node label: one domain of it if there is one, or as few as
	// possible, within the required one if that is set, too.
	// +optional
	// +kubebuilder:validation:MaxLength=317
	Preferred string `json:"preferred,omitempty"`
	// Slice asks for every so many pods in one domain, or the gang waits.
	// +optional
	Slice *TopologySlice `json:"slice,omitempty"`
}

// TopologySlice keeps consecutive pods of a set together: 0 to size-1, and so on.
type TopologySlice struct {
	// Label of the nodes.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	Label string `json:"label"`
	// Size is how many pods are in one domain.
	// +kubebuilder:validation:Minimum=1
	Size int32 `json:"size"`
}

// GangStatus is the scheduler's answer.
type GangStatus struct {
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Placed, with the reason to wait in its message, and the
	// kstatus conditions derived from it.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Placement of every pod set. It is written whole and, while the gang
	// lives, changes only for the slots of nodes that were lost.
	// +optional
	// +listType=map
	// +listMapKey=name
	Placement []PodSetPlacement `json:"placement,omitempty"`

	// GaveWayTo are the gangs to which this one gave places, as NAMESPACE/NAME, or
	// NAMESPACE/group/NAME where there is no Gang, while its pods there had not ended when
	// the status was written.
	// +optional
	// +listType=atomic
	GaveWayTo []string `json:"gaveWayTo,omitempty"`

	// LentBy are the gangs for which the places of this one are kept, named as in GaveWayTo. It
	// gives way as soon as one of them can start, and needs its places no later.
	// +optional
	// +listType=atomic
	LentBy []string `json:"lentBy,omitempty"`

	// Promise of a start to a gang that waits. A scheduler that starts anew keeps it.
	// +optional
	Promise *StartPromise `json:"promise,omitempty"`
}

// StartPromise is by when a gang that waits is expected to start.
type StartPromise struct {
	// Time by which it starts, if what runs ends as it said.
	Time metav1.Time `json:"time"`
	// Number of the promise: who was promised a start before has a smaller one.
	Number int64 `json:"number"`
}

// PodSetPlacement says where the pods of one set go.
type PodSetPlacement struct {
	// Name of the pod set.
	Name string `json:"name"`
	// Slots in rank order: pod 0 is the first of the first slot. Runs of one
	// node are written once so that the status of a large gang stays small.
	// +listType=atomic
	Slots []Slot `json:"slots,omitempty"`
}

// Slot is a run of consecutive ranks on one node. The node is empty for ranks without
// which the gang runs.
type Slot struct {
	Node  string `json:"node"`
	Count int32  `json:"count"`
}

// Pods is how many pods of the set have a node.
func (p *PodSetPlacement) Pods() int32 {
	pods := int32(0)
	for _, slot := range p.Slots {
		if slot.Node != "" {
			pods += slot.Count
		}
	}
	return pods
}

// NodeOf returns the node for the pod of the given rank within a pod set, and
// false when it has none.
func (p *PodSetPlacement) NodeOf(rank int32) (string, bool) {
	for _, slot := range p.Slots {
		if rank < slot.Count {
			return slot.Node, slot.Node != ""
		}
		rank -= slot.Count
	}
	return "", false
}

// Placed is the scheduler's word on the gang, the condition of that type; nil when it
// has not said any.
func (s *GangStatus) Placed() *metav1.Condition {
	return meta.FindStatusCondition(s.Conditions, ConditionPlaced)
}

// IsPlaced says that the gang has the nodes without which it cannot run.
func (s *GangStatus) IsPlaced() bool {
	return meta.IsStatusConditionTrue(s.Conditions, ConditionPlaced)
}

// GangList is a list of Gangs.
//
// +kubebuilder:object:root=true
type GangList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Gang `json:"items"`
}

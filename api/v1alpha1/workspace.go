// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Workspace is a notebook or editor that its owner reaches through the front
// door, with a home that outlives its pod.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ws,categories=slipway
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.spec.image`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Workspace struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   WorkspaceSpec `json:"spec"`
	Status WebStatus     `json:"status,omitempty"`
}

// WorkspaceSpec is what runs and what it keeps.
type WorkspaceSpec struct {
	// Image with an editor that serves HTTP.
	// +kubebuilder:validation:MinLength=1
	Image string `json:"image"`
	// Port on which the editor serves.
	// +optional
	// +kubebuilder:default=8888
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// Home is a volume that outlives the pod.
	// +optional
	Home *Home `json:"home,omitempty"`
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`
	// Stopped releases the resources and keeps the home.
	// +optional
	Stopped bool `json:"stopped,omitempty"`
	// IdleAfter stops the workspace when nobody used it for so long.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s')",message="use a duration of zero or more, such as 90m or 36h, or leave it out"
	IdleAfter *metav1.Duration `json:"idleAfter,omitempty"`
}

// Home is the persistent home directory of a workspace.
type Home struct {
	// Size of the volume.
	// +kubebuilder:default="10Gi"
	// +optional
	Size resource.Quantity `json:"size,omitempty"`
	// StorageClassName of the volume; unset means the cluster's default.
	// +optional
	StorageClassName *string `json:"storageClassName,omitempty"`
}

// WebStatus is the state of something with a page: a Workspace or an App.
type WebStatus struct {
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// URL of the page, behind login.
	// +optional
	URL string `json:"url,omitempty"`
}

// WorkspaceList is a list of Workspaces.
//
// +kubebuilder:object:root=true
type WorkspaceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Workspace `json:"items"`
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Model is one endpoint for one model, served by replicas of an engine behind
// the front door. Its name is the model name that clients send.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=mdl,categories=slipway
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.spec.replicas`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')",message="metadata.name must start with a letter, hold only lower-case letters, digits and '-', and be at most 40 characters: a Service and pods carry it too"
type Model struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ModelSpec   `json:"spec"`
	Status ModelStatus `json:"status,omitempty"`
}

// ModelPortName is the name of the one port of a Model's Service and of its
// pods.
const ModelPortName = "http"

// ModelService is the name of the Service, in the Model's namespace, whose
// EndpointSlices list the replicas that answer. The prefix keeps Models and
// other people's Services apart.
func ModelService(model string) string { return "model-" + model }

// ModelSpec is what to serve and how.
type ModelSpec struct {
	// Source of the weights, mounted read-only at /models in each replica.
	// Unset means that the engine brings its own.
	// +optional
	Source *ModelSource `json:"source,omitempty"`

	// Engine that answers requests.
	Engine Engine `json:"engine"`

	// Replicas of the engine. Zero stops the model and keeps its endpoint.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Replicas *int32 `json:"replicas,omitempty"`
}

// ModelSource is where weights come from.
type ModelSource struct {
	// Claim is a volume in the Model's namespace, as a training run leaves it.
	Claim *ClaimSource `json:"claim"`
}

// ClaimSource is a directory of a PersistentVolumeClaim.
type ClaimSource struct {
	// Name of the PersistentVolumeClaim.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Path below the volume's root. Empty is the root.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(p, p == '..')",message="path is relative to the volume and may not contain '..'; write checkpoints/last, not /checkpoints/last"
	Path string `json:"path,omitempty"`
}

// Engine is a server of the OpenAI API.
type Engine struct {
	// Container is an image that serves /v1 on a port.
	Container *ContainerEngine `json:"container"`
}

// ContainerEngine runs any OpenAI-compatible server. It gets the environment
// variables SLIPWAY_MODEL_NAME (the name to answer to) and SLIPWAY_MODEL_PATH
// (the directory with the weights, empty without a source).
type ContainerEngine struct {
	// +kubebuilder:validation:MinLength=1
	Image string `json:"image"`
	// +optional
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// Command replaces the image's entry point.
	// +optional
	// +listType=atomic
	Command []string `json:"command,omitempty"`
	// +optional
	// +listType=atomic
	Args []string `json:"args,omitempty"`
	// +optional
	// +listType=map
	// +listMapKey=name
	Env []corev1.EnvVar `json:"env,omitempty"`
	// Port on which the container serves.
	// +optional
	// +kubebuilder:default=8000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// ReadyPath answers 200 once the weights are loaded.
	// +optional
	// +kubebuilder:default=/health
	// +kubebuilder:validation:Pattern=`^/`
	ReadyPath string `json:"readyPath,omitempty"`
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`
}

// ModelStatus is the state of the endpoint.
type ModelStatus struct {
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Replicas that exist; ReadyReplicas of them answer.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// +optional
	ReadyReplicas int32 `json:"readyReplicas,omitempty"`
	// Selector of the replicas' pods, for autoscalers.
	// +optional
	Selector string `json:"selector,omitempty"`
	// URL is the base URL for OpenAI clients, ending in /v1.
	// +optional
	URL string `json:"url,omitempty"`
}

// ModelList is a list of Models.
//
// +kubebuilder:object:root=true
type ModelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Model `json:"items"`
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// needsService says whether the pod of a rank is to be found by others. A pod that is
// the whole job has no peers, and finds its own name in the /etc/hosts that the kubelet
// writes, if that is its host name; but it may name a port, at which somebody looks for it.
func needsService(in observed, r *rank, alone bool) bool {
	pod := &r.spec.Template.Spec
	return !alone || pod.HostNetwork || pod.Hostname != "" || pod.HostnameOverride != nil ||
		slices.ContainsFunc(servicePorts(in.Framework.Container, r.spec), func(port corev1.ServicePort) bool {
			return port.Name != in.Framework.Port
		})
}

// newService makes the pod of a rank reachable under the pod's name. The name
// resolves as soon as the pod has an address, ready or not: peers look for each
// other before any of them is ready. That is why workers get no init container
// that waits for the master, as upstream's do.
func newService(in observed, r *rank) *corev1.Service {
	labels := rankLabels(in, r)
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name: r.name, Namespace: in.Job.Object().GetNamespace(),
			Labels:          labels,
			OwnerReferences: []metav1.OwnerReference{ownerOf(in)},
		},
		Spec: corev1.ServiceSpec{
			ClusterIP:                corev1.ClusterIPNone,
			Selector:                 maps.Clone(labels),
			PublishNotReadyAddresses: true,
			Ports:                    servicePorts(in.Framework.Container, r.spec),
		},
	}
}

// servicePorts are the named ports of the default container.
func servicePorts(name string, spec *kubeflowv1.ReplicaSpec) []corev1.ServicePort {
	var ports []corev1.ServicePort
	for _, container := range spec.Template.Spec.Containers {
		if container.Name != name {
			continue
		}
		for _, port := range container.Ports {
			if port.Name != "" {
				ports = append(ports, corev1.ServicePort{Name: port.Name, Port: port.ContainerPort, Protocol: port.Protocol})
			}
		}
	}
	return ports
}

// jobLabels are on everything that belongs to the job.
func jobLabels(in observed) map[string]string {
	return map[string]string{
		kubeflowv1.JobNameLabel:      in.Job.Object().GetName(),
		kubeflowv1.OperatorNameLabel: strings.ToLower(in.Framework.Kind) + "-controller",
	}
}

func replicaLabels(in observed, replica kubeflowv1.ReplicaType) map[string]string {
	labels := jobLabels(in)
	labels[kubeflowv1.ReplicaTypeLabel] = podSetName(replica)
	return labels
}

func rankLabels(in observed, r *rank) map[string]string {
	labels := replicaLabels(in, r.replica)
	labels[kubeflowv1.ReplicaIndexLabel] = strconv.Itoa(int(r.index))
	return labels
}

func ownerOf(in observed) metav1.OwnerReference {
	return *metav1.NewControllerRef(in.Job.Object(), kubeflowv1.GroupVersion.WithKind(in.Framework.Kind))
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// service gives a Model's replicas EndpointSlices, by which the front door
// routes. It is headless: a cluster address would be a way around the front
// door's permissions, and costs every node a rule.
//
// The target is the port's name, so that while a change of port rolls out each
// replica is reached on its own.
func service(model *slipwayv1.Model) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: corev1.SchemeGroupVersion.String(), Kind: "Service"},
		ObjectMeta: objectMeta(model),
		Spec: corev1.ServiceSpec{
			ClusterIP: corev1.ClusterIPNone,
			Selector:  labelsOf(model),
			Ports: []corev1.ServicePort{{
				Name: slipwayv1.ModelPortName, Port: 80, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromString(slipwayv1.ModelPortName),
			}},
		},
	}
}

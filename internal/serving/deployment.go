// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// objectName is the name of all that is made for a Model: its Service's.
func objectName(model *slipwayv1.Model) string { return slipwayv1.ModelService(model.Name) }

// labelsOf select a Model's pods. They follow from its name alone, because a
// Deployment's selector can never change.
func labelsOf(model *slipwayv1.Model) map[string]string {
	return map[string]string{slipwayv1.LabelModel: model.Name}
}

func claimOf(model *slipwayv1.Model) *slipwayv1.ClaimSource {
	if model.Spec.Source == nil {
		return nil
	}
	return model.Spec.Source.Claim
}

func replicasOf(model *slipwayv1.Model) int32 { return ptr.Deref(model.Spec.Replicas, 1) }

// deployment is what should run for a Model. With restricted, pods say that
// they do not run as root, as the namespace demands.
func deployment(model *slipwayv1.Model, restricted bool) *appsv1.Deployment {
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "Deployment"},
		ObjectMeta: objectMeta(model),
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(replicasOf(model)),
			Selector: &metav1.LabelSelector{MatchLabels: labelsOf(model)},
			Strategy: appsv1.DeploymentStrategy{
				Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{
					MaxUnavailable: ptr.To(intstr.FromInt32(0)),
					// One at a time: a replica may need a whole node more.
					MaxSurge: ptr.To(intstr.FromInt32(1)),
				},
			},
			RevisionHistoryLimit: ptr.To[int32](2),
			Template:             podTemplate(model, restricted),
		},
	}
}

func objectMeta(model *slipwayv1.Model) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:            objectName(model),
		Namespace:       model.Namespace,
		Labels:          labelsOf(model),
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(model, slipwayv1.GroupVersion.WithKind("Model"))},
	}
}

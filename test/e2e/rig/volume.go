// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import corev1 "k8s.io/api/core/v1"

// Claim of the default StorageClass, as a manifest; see WithClaim.
const Claim = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
`

// WithClaim mounts the volume of Claim at /data.
func WithClaim(pod *corev1.Pod) *corev1.Pod {
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}})
	c := &pod.Spec.Containers[0]
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "data", MountPath: "/data"})
	return pod
}

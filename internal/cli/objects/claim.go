// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"errors"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Claims builds a claim of the given size for each volume that a run mounts.
// They belong to nobody: what a run leaves on them outlives it.
func (t Train) Claims(size string) ([]*corev1.PersistentVolumeClaim, error) {
	if size == "" {
		return nil, nil
	}
	if len(t.Volumes) == 0 {
		return nil, errors.New("--volume-size is given without --volume; name the claim and where to mount it: --volume CLAIM:/path")
	}
	quantity, err := positive("--volume-size", size)
	if err != nil {
		return nil, err
	}
	var claims []*corev1.PersistentVolumeClaim
	seen := map[string]bool{}
	for _, mount := range t.Volumes {
		name, _, _ := strings.Cut(mount, ":")
		if seen[name] {
			continue
		}
		seen[name] = true
		claims = append(claims, &corev1.PersistentVolumeClaim{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: t.Namespace},
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources: corev1.VolumeResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceStorage: quantity},
				},
			},
		})
	}
	return claims, nil
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package storage makes PersistentVolumes out of directories of the machine's
// disk, for the default StorageClass.
//
// A volume is a local volume with affinity to the machine, not to one node: all
// nodes of an embedded cluster see the same disk, so a pod whose node was lost
// finds its data on the next, and any access mode is true. The size of a claim
// is not enforced; the directory grows as the disk allows.
package storage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/node"
)

// Provisioner is the name in the StorageClass.
const Provisioner = "slipway.dev/local"

// Run makes and deletes volumes until ctx ends.
func Run(ctx context.Context, c *cluster.Cluster) error {
	config, err := clientcmd.BuildConfigFromFlags("", c.KubeconfigOf("storage"))
	if err != nil {
		return fmt.Errorf("reading the kubeconfig of storage: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	controller.NewProvisionController(ctx, client, Provisioner, &local{c},
		controller.LeaderElection(false), controller.MetricsPort(0)).Run(ctx)
	return nil
}

type local struct{ cluster *cluster.Cluster }

// Provision makes the directory of a volume.
func (l *local) Provision(_ context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	if o.PVC.Spec.Selector != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("spec.selector of claim %s/%s is set: class %s makes a volume for each claim, so leave the selector out",
			o.PVC.Namespace, o.PVC.Name, o.StorageClass.Name)
	}
	dir := filepath.Join(l.cluster.Volumes(), o.PVName)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("making the directory of volume %s: %w", o.PVName, err)
	}
	// Any user of a pod may write: the directory above is root's alone.
	if err := os.Chmod(dir, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("opening the directory of volume %s: %w", o.PVName, err)
	}
	return l.volume(o, dir), controller.ProvisioningFinished, nil
}

func (l *local) volume(o controller.ProvisionOptions, dir string) *corev1.PersistentVolume {
	reclaim := corev1.PersistentVolumeReclaimDelete
	if o.StorageClass.ReclaimPolicy != nil {
		reclaim = *o.StorageClass.ReclaimPolicy
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: reclaim,
			AccessModes:                   o.PVC.Spec.AccessModes,
			MountOptions:                  o.StorageClass.MountOptions,
			VolumeMode:                    o.PVC.Spec.VolumeMode,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: o.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: dir}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: node.LabelMachine, Operator: corev1.NodeSelectorOpIn, Values: []string{l.cluster.ID}}},
			}}}},
		},
	}
}

// Delete removes the directory of a volume with all that is in it.
func (l *local) Delete(_ context.Context, pv *corev1.PersistentVolume) error {
	if pv.Spec.Local == nil || filepath.Dir(pv.Spec.Local.Path) != l.cluster.Volumes() {
		return fmt.Errorf("volume %s is not in %s, so it is left alone", pv.Name, l.cluster.Volumes())
	}
	if err := os.RemoveAll(pv.Spec.Local.Path); err != nil {
		return fmt.Errorf("removing the directory of volume %s: %w", pv.Name, err)
	}
	return nil
}

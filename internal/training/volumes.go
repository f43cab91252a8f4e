// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"fmt"
	"maps"

	"slipway.dev/slipway/internal/podset"
)

// observeVolumes looks up where the volumes are that pods will mount, and which devices they
// will claim.
func (r *reconciler) observeVolumes(ctx context.Context, in *observed) error {
	if len(in.Problems) > 0 || finished(in.Job.Status()) || isSuspended(in.Job) {
		return nil
	}
	for _, t := range in.Framework.Types {
		spec := in.Job.Replicas()[t.Name]
		if spec == nil {
			continue
		}
		path := fmt.Sprintf("spec.%s.%s.template.spec", in.Framework.SpecField, t.Name)
		namespace := in.Job.Object().GetNamespace()
		found, err := podset.FindVolumes(ctx, r.client, r.live, namespace, path, &spec.Template.Spec)
		if err != nil {
			return err
		}
		devices, err := podset.FindDevices(ctx, r.client, r.live, namespace, path, &spec.Template.Spec)
		if err != nil {
			return err
		}
		in.Devices[t.Name] = devices.Requests
		maps.Copy(in.Blocked.Fields, devices.Problems)
		maps.Copy(in.Volumes, found.Nodes)
		maps.Copy(in.Blocked.Fields, found.Missing)
	}
	return nil
}

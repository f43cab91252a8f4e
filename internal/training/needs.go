// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/training/frameworks"
)

// needsOf jobs of a framework that have not ended, by which they are found when something
// comes.
func needsOf(f frameworks.Framework) client.IndexerFunc {
	return func(object client.Object) []string {
		in := observed{Framework: f, Job: f.Open(object)}
		if finished(in.Job.Status()) || isSuspended(in.Job) {
			return nil
		}
		needs := []string{podset.NeedGang(podset.GangName(f.Kind, object.GetName()))}
		if _, class := priorityClass(in); class != "" {
			needs = append(needs, podset.NeedClass(class))
		}
		for _, t := range f.Types {
			if spec := in.Job.Replicas()[t.Name]; spec != nil {
				needs = append(needs, podset.NeedClaims(&spec.Template.Spec)...)
			}
		}
		return needs
	}
}

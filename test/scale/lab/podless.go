// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/test/scale/fakenode"
)

// endLater deletes a gang without pods when its time is over, unless it has lost
// its place by then: it starts from the beginning when it gets another.
func (b *Batch) endLater(gang *slipwayv1.Gang, start int) {
	runs, err := time.ParseDuration(gang.Annotations[fakenode.AnnotationRunTime])
	if err != nil {
		b.lab.fail(fmt.Errorf("gang %s: annotation %s: %w", gang.Name, fakenode.AnnotationRunTime, err))
		return
	}
	time.AfterFunc(runs, func() {
		if b.runs(gang.UID, start) {
			b.lab.backlog.add(func(ctx context.Context) error { return b.end(ctx, gang) })
		}
	})
}

// runs says that a gang has not lost the place that it got with this start.
func (b *Batch) runs(gang types.UID, start int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.running[gang] && b.starts[gang] == start
}

func (b *Batch) end(ctx context.Context, gang *slipwayv1.Gang) error {
	bare := &slipwayv1.Gang{}
	bare.Namespace, bare.Name = gang.Namespace, gang.Name
	if err := b.lab.Client.Delete(ctx, bare); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting gang %s: %w", gang.Name, err)
	}
	b.Ended.note(gang.UID)
	return nil
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/fakenode"
	"slipway.dev/slipway/test/scale/lab"
)

// gangLimit in seconds, from being submitted to all pods bound.
const gangLimit = 3

// preferred is how users of Kueue, and of PyTorchJob here, ask for closeness.
const preferred = "kueue.x-k8s.io/podset-preferred-topology"

// measureGang places one large gang with a pod on each node, as a Gang whose pods
// the lab makes and as a PyTorchJob, with and without a wish to be close.
func measureGang(ctx context.Context, o *options) ([]bench.Bar, error) {
	return inLab(ctx, o, o.gang.nodes, func(ctx context.Context, l *lab.Lab) (bars []bench.Bar, err error) {
		if err := l.BringUpPlatform(ctx); err != nil {
			return nil, err
		}
		for _, c := range []struct {
			name, topology string
			object         func(pods int, topology string) client.Object
		}{
			{"gang", "", spreadGang},
			{"gang-close", fakenode.LabelBlock, spreadGang},
			{"pytorchjob", "", spreadJob},
			{"pytorchjob-close", fakenode.LabelBlock, spreadJob},
		} {
			took, writes, err := submitted(ctx, l, c.name, c.object(o.gang.pods, c.topology), o.gang.pods)
			if err != nil {
				return bars, err
			}
			what := fmt.Sprintf("%s of %d", c.name, o.gang.pods)
			bars = append(bars, bench.AtMost(what+", submitted to all pods bound", took, "s", gangLimit),
				writesBar(what+", API writes per pod", writes, o.gang.pods))
		}
		return bars, nil
	})
}

func spreadGang(pods int, topology string) client.Object {
	gang := newGang("one", pods, gpus(8))
	set := &gang.Spec.PodSets[0]
	set.HostPorts = []slipwayv1.HostPort{{Port: hostPort, Protocol: corev1.ProtocolTCP}}
	if topology != "" {
		set.Topology = &slipwayv1.Topology{Preferred: topology}
	}
	return gang
}

func spreadJob(pods int, topology string) client.Object {
	job := newJob("one", pods, gpus(8))
	for _, spec := range job.Spec.PyTorchReplicaSpecs {
		spec.Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{
			Name: kubeflowv1.PyTorchJobDefaultPortName, ContainerPort: hostPort, HostPort: hostPort}}
		if topology != "" {
			spec.Template.Annotations = map[string]string{preferred: topology}
		}
	}
	return job
}

// submitted is the seconds from just before an object is sent until all its pods
// are seen bound. What it made is removed again.
func submitted(ctx context.Context, l *lab.Lab, name string, object client.Object, pods int) (float64, lab.Writes, error) {
	b, err := l.Batch(ctx, name)
	if err != nil {
		return 0, nil, err
	}
	before, err := l.SettledWrites(ctx)
	if err != nil {
		return 0, nil, err
	}
	began := time.Now()
	if err := lab.Submit(ctx, b, []client.Object{object}); err != nil {
		return 0, nil, err
	}
	if err := b.Bound.Await(ctx, pods); err != nil {
		return 0, nil, fmt.Errorf("binding pods: %w", err)
	}
	took := b.Bound.Last().Sub(began).Seconds()
	if err := b.Running.Await(ctx, pods); err != nil {
		return 0, nil, fmt.Errorf("starting pods: %w", err)
	}
	after, err := l.SettledWrites(ctx)
	if err != nil {
		return 0, nil, err
	}
	return took, after.Since(before), b.Remove(ctx)
}

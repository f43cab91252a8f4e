// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package containerd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// labelPodUID is how a kubelet marks containers with their pod.
const labelPodUID = "io.kubernetes.pod.uid"

// Pods are those of one node, as its containerd knows them.
type Pods struct {
	connection *grpc.ClientConn
	runtime    runtimeapi.RuntimeServiceClient
}

// OpenPods talks to the containerd that listens on the socket, until Close.
func OpenPods(socket string) (*Pods, error) {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("connecting to containerd: %w", err)
	}
	return &Pods{connection, runtimeapi.NewRuntimeServiceClient(connection)}, nil
}

// Close ends the connection.
func (p *Pods) Close() error { return p.connection.Close() }

// Running are the pods of which a container runs.
func (p *Pods) Running(ctx context.Context) (sets.Set[types.UID], error) {
	containers, err := p.running(ctx)
	pods := sets.New[types.UID]()
	for _, c := range containers {
		pods.Insert(types.UID(c.Labels[labelPodUID]))
	}
	return pods, err
}

func (p *Pods) running(ctx context.Context) ([]*runtimeapi.Container, error) {
	running := &runtimeapi.ContainerFilter{State: &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING}}
	containers, err := p.runtime.ListContainers(ctx, &runtimeapi.ListContainersRequest{Filter: running})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", err)
	}
	return containers.Containers, nil
}

// Stop ends every pod: its containers, which get the grace period to end by
// themselves, and then its sandbox with its network. What the pods were is kept:
// the next kubelet sees with which codes their containers ended.
func (p *Pods) Stop(ctx context.Context, grace time.Duration) error {
	containers, err := p.running(ctx)
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	for _, c := range containers {
		group.Go(func() {
			// A container that does not end is ended with its sandbox.
			_, _ = p.runtime.StopContainer(ctx, &runtimeapi.StopContainerRequest{ContainerId: c.Id, Timeout: int64(grace.Seconds())})
		})
	}
	group.Wait()
	return p.eachSandbox(ctx, "stopping", func(sandbox *runtimeapi.PodSandbox) error {
		_, err := p.runtime.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: sandbox.Id})
		return err
	})
}

// Forget removes what is kept of stopped pods: to the next kubelet their
// containers are lost, however they ended.
func (p *Pods) Forget(ctx context.Context, pods sets.Set[types.UID]) error {
	return p.eachSandbox(ctx, "forgetting", func(sandbox *runtimeapi.PodSandbox) error {
		if !pods.Has(types.UID(sandbox.Metadata.Uid)) {
			return nil
		}
		_, err := p.runtime.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: sandbox.Id})
		return err
	})
}

func (p *Pods) eachSandbox(ctx context.Context, doing string, do func(*runtimeapi.PodSandbox) error) error {
	sandboxes, err := p.runtime.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{})
	if err != nil {
		return fmt.Errorf("listing pods: %w", err)
	}
	errs := make([]error, len(sandboxes.Items))
	var group sync.WaitGroup
	for i, sandbox := range sandboxes.Items {
		group.Go(func() { errs[i] = do(sandbox) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s pods: %w", doing, err)
	}
	return nil
}

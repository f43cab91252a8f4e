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
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// StopPods ends every pod of a node: its containers, which get the grace period
// to end by themselves, and then its sandbox with its network. What the pods
// were is kept; the next kubelet starts them again.
func StopPods(ctx context.Context, socket string, grace time.Duration) error {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connecting to containerd: %w", err)
	}
	defer func() { _ = connection.Close() }()
	runtime := runtimeapi.NewRuntimeServiceClient(connection)
	running := &runtimeapi.ContainerFilter{State: &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING}}
	containers, err := runtime.ListContainers(ctx, &runtimeapi.ListContainersRequest{Filter: running})
	if err != nil {
		return fmt.Errorf("listing containers: %w", err)
	}
	var group sync.WaitGroup
	for _, c := range containers.Containers {
		group.Go(func() {
			// A container that does not end is ended with its sandbox.
			_, _ = runtime.StopContainer(ctx, &runtimeapi.StopContainerRequest{ContainerId: c.Id, Timeout: int64(grace.Seconds())})
		})
	}
	group.Wait()
	return stopSandboxes(ctx, runtime)
}

func stopSandboxes(ctx context.Context, runtime runtimeapi.RuntimeServiceClient) error {
	sandboxes, err := runtime.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{})
	if err != nil {
		return fmt.Errorf("listing pods: %w", err)
	}
	errs := make([]error, len(sandboxes.Items))
	var group sync.WaitGroup
	for i, sandbox := range sandboxes.Items {
		group.Go(func() {
			_, errs[i] = runtime.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: sandbox.Id})
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stopping pods: %w", err)
	}
	return nil
}

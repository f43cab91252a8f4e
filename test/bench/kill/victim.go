// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway.dev/slipway/test/bench/rig"
)

// victim is a cluster with a pod and a Service in it, and what its containers
// were before anything was killed.
type victim struct {
	cluster   *rig.Cluster
	namespace *rig.Namespace
	url       string // of the Service
	before    map[string]string
	http      http.Client
}

// victimOf makes the pod and the Service and returns when they serve.
func victimOf(ctx context.Context, c *rig.Cluster, program string) (*victim, error) {
	namespace, err := c.MakeNamespace(ctx, "bench")
	if err != nil {
		return nil, err
	}
	v := &victim{cluster: c, namespace: namespace}
	// A connection that is kept would not show that new ones are possible.
	v.http.Transport = &http.Transport{DisableKeepAlives: true}
	core := namespace.Client.CoreV1()
	if _, err := core.Pods(namespace.Name).Create(ctx, servingPod(program), metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("making the serving pod: %w", err)
	}
	service, err := core.Services(namespace.Name).Create(ctx, servingService(), metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("making the Service: %w", err)
	}
	v.url = fmt.Sprintf("http://%s:%d/", service.Spec.ClusterIP, port)
	wait, cancel := context.WithTimeoutCause(ctx, giveUp, fmt.Errorf("the Service does not answer after %s", giveUp))
	defer cancel()
	if err := rig.Until(wait, v.works); err != nil {
		return nil, err
	}
	v.before, err = v.containers(ctx)
	return v, err
}

// works says what does not work, if anything.
func (v *victim) works(ctx context.Context) error {
	status, err := v.cluster.Status(ctx)
	if err != nil {
		return err
	}
	if !status.Ready {
		return errors.New("the supervisor does not say ready")
	}
	core := v.namespace.Client.CoreV1()
	record := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "write-"}}
	if _, err := core.ConfigMaps(v.namespace.Name).Create(ctx, record, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("writing to the API server: %w", err)
	}
	nodes, err := core.Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("reading nodes: %w", err)
	}
	for _, node := range nodes.Items {
		if !rig.Ready(&node) {
			return fmt.Errorf("%s is not Ready", node.Name)
		}
	}
	return errors.Join(v.get(ctx, v.url, http.StatusOK),
		v.get(ctx, "http://"+v.cluster.FrontDoor+"/v1/models", http.StatusUnauthorized))
}

func (v *victim) get(ctx context.Context, url string, want int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := v.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != want {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

// containers maps each container of the cluster to the ID of its present run,
// and to how often it was restarted.
func (v *victim) containers(ctx context.Context) (map[string]string, error) {
	pods, err := v.namespace.Client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	runs := map[string]string{}
	for _, pod := range pods.Items {
		for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			runs[fmt.Sprintf("%s/%s %s %s", pod.Namespace, pod.Name, pod.UID, s.Name)] = fmt.Sprint(s.ContainerID, " restarts ", s.RestartCount)
		}
	}
	return runs, nil
}

// restarts counts the containers that no longer are what they were, restarted or
// gone with their pod, and names them. It is NaN when nobody can tell.
func (v *victim) restarts(ctx context.Context) float64 {
	now, err := v.containers(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return math.NaN()
	}
	count := 0
	for _, container := range slices.Sorted(maps.Keys(v.before)) {
		if now[container] != v.before[container] {
			fmt.Fprintf(os.Stderr, "restarted: %s\n", container)
			count++
		}
	}
	return float64(count)
}

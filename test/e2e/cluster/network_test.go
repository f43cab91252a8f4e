// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

// names holds that a pod finds others by every form of their names.
func names(t *testing.T, c *rig.Cluster) {
	space := c.Namespace(t, "names")
	service := c.Expose(t, space, rig.Service("server", corev1.ServiceTypeClusterIP))
	pod := c.Create(t, space, rig.Server("server"))[0]
	api, err := c.Client(t).CoreV1().Services("default").Get(t.Context(), "kubernetes", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{
		"kubernetes.default":                api.Spec.ClusterIP,
		"to-server":                         service.Spec.ClusterIP,
		"to-server.names":                   service.Spec.ClusterIP,
		"to-server.names.svc.cluster.local": service.Spec.ClusterIP,
		strings.ReplaceAll(pod.Status.PodIP, ".", "-") + ".names.pod.cluster.local": pod.Status.PodIP,
	} {
		c.Says(t, pod, address, "lookup", name)
	}
	if o := c.Exec(t, pod, "lookup", "nobody.names.svc.cluster.local"); o.Code == 0 {
		t.Errorf("a name that nobody has is found: %s", o.Stdout)
	}
}

// services holds that a Service is reached from everywhere, its own pod included.
func services(t *testing.T, c *rig.Cluster) {
	space := c.Namespace(t, "services")
	pods := c.Create(t, space, rig.Server("server"), rig.Pod("client", "wait"))
	service := c.Expose(t, space, rig.Service("server", corev1.ServiceTypeNodePort))
	rig.Answers(t, "http://"+service.Spec.ClusterIP, "server heard")
	c.Says(t, pods[1], "server heard", "get", "http://to-server")
	c.Says(t, pods[0], "server heard", "get", "http://to-server")
	nodePort := fmt.Sprintf("http://%s:%d", pods[0].Status.HostIP, service.Spec.Ports[0].NodePort)
	rig.Answers(t, nodePort, "server heard")
	c.Says(t, pods[1], "server heard", "get", nodePort)
	c.Says(t, pods[0], "server heard", "get", nodePort)
	for _, address := range service.Spec.ClusterIPs[1:] {
		rig.Answers(t, "http://["+address+"]", "server heard")
	}
	// Pods see one another's own addresses.
	c.Says(t, pods[1], "server heard "+pods[1].Status.PodIP, "get", fmt.Sprintf("http://%s:%d", pods[0].Status.PodIP, rig.Port))
}

// hostPort holds that a port of the machine is a pod's for as long as the pod lives.
func hostPort(t *testing.T, c *rig.Cluster) {
	space := c.Namespace(t, "hostport")
	pod := rig.Server("server")
	pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: rig.Port, HostPort: 18099}}
	made := c.Create(t, space, pod, rig.Pod("client", "wait"))
	url := fmt.Sprintf("http://%s:18099", made[0].Status.HostIP)
	rig.Answers(t, url, "server heard")
	rig.Answers(t, "http://127.0.0.1:18099", "server heard")
	c.Says(t, made[0], "server heard", "get", url)
	c.Says(t, made[1], "server heard", "get", url)
	c.OK(t, "kubectl", "delete", "pod", "-n", space, "server")
	rig.Eventually(t, "the port is free again", func(ctx context.Context) error {
		if body, err := rig.Get(ctx, url); err == nil {
			return errors.New("it answers " + body)
		}
		return nil
	})
}

// policies holds that a NetworkPolicy shuts what it shuts and nothing else, as
// soon as it is there and no longer than that.
func policies(t *testing.T, c *rig.Cluster) {
	space := c.Namespace(t, "policies")
	pods := c.Create(t, space, rig.Server("server"), rig.Pod("friend", "wait"), rig.Pod("stranger", "wait"))
	server, friend, stranger := pods[0], pods[1], pods[2]
	c.Expose(t, space, rig.Service("server", corev1.ServiceTypeClusterIP))
	reaches := func(from *corev1.Pod, want bool) {
		t.Helper()
		rig.Eventually(t, fmt.Sprintf("%s reaches the server: %t", from.Name, want), func(context.Context) error {
			o := c.Exec(t, from, "get", "http://to-server")
			if got := o.Code == 0; got != want {
				return fmt.Errorf("code %d: %s%s", o.Code, o.Stdout, o.Stderr)
			}
			return nil
		})
	}
	reaches(friend, true)
	reaches(stranger, true)
	c.Apply(t, space, denyAll)
	reaches(friend, false)
	reaches(stranger, false)
	c.Apply(t, space, allowFriend)
	reaches(friend, true)
	reaches(stranger, false)
	// Three of the kubelet's probes were due since; they must not be shut out.
	seen, err := c.Client(t).CoreV1().Pods(space).Get(t.Context(), server.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := rig.PodReady(seen); err != nil {
		t.Errorf("under a policy that allows nobody else: %v", err)
	}
	c.Apply(t, space, denyOut)
	reaches(friend, false)
	c.OK(t, "kubectl", "delete", "networkpolicy", "-n", space, "--all")
	reaches(friend, true)
	reaches(stranger, true)
}

const denyAll = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all}
spec: {podSelector: {matchLabels: {probe: server}}, policyTypes: [Ingress]}
`

const allowFriend = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-friend}
spec:
  podSelector: {matchLabels: {probe: server}}
  ingress:
  - from: [{podSelector: {matchLabels: {probe: friend}}}]
    ports: [{port: 8080}]
`

const denyOut = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-out}
spec: {podSelector: {matchLabels: {probe: friend}}, policyTypes: [Egress]}
`

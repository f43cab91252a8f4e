// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package nodes holds that a cluster of several nodes loses one of them and
// goes on: what ran there runs elsewhere, and nothing of a node that was removed
// is left.
package nodes

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/test/e2e/rig"
)

const space = "nodes"

func TestNodes(t *testing.T) {
	c := rig.Start(t, "--nodes", "3")
	c.Namespace(t, space)
	for _, promise := range []struct {
		name  string
		holds func(*testing.T, *rig.Cluster)
	}{
		{"reached", reached},
		{"loss", loss},
		{"return", back},
		{"removal", removal},
		{"addition", addition},
		{"frozen", frozen},
		{"refusals", refusals},
	} {
		t.Run(promise.name, func(t *testing.T) { promise.holds(t, c) })
	}
}

// reached holds that pods of all nodes reach one another, by Service too.
func reached(t *testing.T, c *rig.Cluster) {
	var pods []*corev1.Pod
	for i := range 3 {
		pod := rig.Server(fmt.Sprintf("server-%d", i))
		pod.Spec.NodeName = fmt.Sprintf("node-%d", i)
		pods = append(pods, pod)
	}
	pods = c.Create(t, space, pods...)
	c.Expose(t, space, rig.Service("server-1", corev1.ServiceTypeClusterIP))
	for _, from := range pods {
		c.Says(t, from, "server-1 heard", "get", "http://to-server-1")
		for _, to := range pods {
			c.Says(t, from, to.Name+" heard "+from.Status.PodIP, "get", fmt.Sprintf("http://%s:%d", to.Status.PodIP, rig.Port))
		}
	}
}

// loss holds that a dead node is noticed, and that what ran there is made again
// elsewhere: the replicas of a Deployment, and the rank of a training job.
func loss(t *testing.T, c *rig.Cluster) {
	c.Apply(t, space, workloads)
	replicas := c.AwaitPods(t, space, "app=web", "three replicas", rig.PodsReady(3))
	ranks := c.AwaitPods(t, space, jobPods, "two ranks", rig.PodsReady(2))
	dead := on(ranks, "worker-0")
	if dead == "node-0" {
		t.Fatal("the worker is on the machine itself, which is not killed here")
	}
	t.Logf("killing %s", dead)
	began := time.Now()
	c.OK(t, "node", "kill", dead)
	c.AwaitNodes(t, dead+" is not Ready", func(nodes []*corev1.Node) error {
		for _, n := range nodes {
			if n.Name == dead && rig.NodeReady(n) == nil {
				return errors.New("it is Ready")
			}
		}
		return nil
	})
	t.Logf("%s was seen NotReady after %.1f s", dead, time.Since(began).Seconds())
	moved := c.AwaitPods(t, space, jobPods, "all ranks run again", alive(2, dead))
	t.Logf("rank worker-0 ran again, on %s, after %.1f s", on(moved, "worker-0"), time.Since(began).Seconds())
	if on(moved, "master-0") != on(ranks, "master-0") {
		t.Errorf("rank master-0 moved from %s to %s; its node had not died", on(ranks, "master-0"), on(moved, "master-0"))
	}
	c.AwaitPods(t, space, "app=web", "three replicas again", alive(3, dead))
	t.Logf("%d replicas ran again after %.1f s", len(replicas), time.Since(began).Seconds())
}

// back holds that a node that was killed comes back with what it had, and that
// nothing of its past hangs about.
func back(t *testing.T, c *rig.Cluster) {
	dead := killed(t, c)
	c.OK(t, "node", "add", dead)
	c.AwaitNodes(t, "all nodes are Ready", rig.NodesReady)
	c.AwaitPods(t, space, "app=web", "no replica hangs about", rig.PodsReady(3))
	// The image is still there: nothing is imported for this.
	pod := rig.Server("returned")
	pod.Spec.NodeName = dead
	c.Create(t, space, pod)
}

// removal holds that nothing of a removed node is left.
func removal(t *testing.T, c *rig.Cluster) {
	description, err := cluster.Load(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	gone, found := description.NodeNamed("node-2")
	if !found {
		t.Fatal("there is no node-2")
	}
	if !routed(t, description.PodSubnet(gone)) {
		t.Fatal("no route leads to the pods of node-2; this test looks for the wrong one")
	}
	c.OK(t, "node", "rm", "node-2")
	if routed(t, description.PodSubnet(gone)) {
		t.Error("a route to the pods of the removed node is left")
	}
	if _, err := netlink.LinkByName(fmt.Sprintf("sw%d-%d", description.Index, gone.Index)); err == nil {
		t.Error("the link of the removed node is left")
	}
	if _, err := c.Client(t).CoreV1().Nodes().Get(t.Context(), "node-2", metav1.GetOptions{}); err == nil {
		t.Error("the API server still has the removed node")
	}
	c.AwaitPods(t, space, "app=web", "three replicas on the nodes that are left", alive(3, "node-2"))
	c.AwaitPods(t, space, jobPods, "both ranks on the nodes that are left", alive(2, "node-2"))
}

// addition holds that a new node serves as the first ones do.
func addition(t *testing.T, c *rig.Cluster) {
	c.OK(t, "node", "add", "extra")
	c.ImportProbe(t)
	pod := rig.Server("on-extra")
	pod.Spec.NodeName = "extra"
	pod = c.Create(t, space, pod)[0]
	rig.Answers(t, fmt.Sprintf("http://%s:%d", pod.Status.PodIP, rig.Port), "on-extra heard")
	c.Says(t, pod, "server-1 heard", "get", "http://to-server-1")
}

func refusals(t *testing.T, c *rig.Cluster) {
	c.Refuses(t, []string{"node-0", "control plane"}, "node", "kill", "node-0")
	c.Refuses(t, []string{"node-0", "control plane"}, "node", "rm", "node-0")
	c.Refuses(t, []string{"no node \"nobody\"", "slipway node ls"}, "node", "rm", "nobody")
	c.Refuses(t, []string{"there is a node \"extra\" already"}, "node", "add", "extra")
	c.Refuses(t, []string{"Upper Case", "lower-case"}, "node", "add", "Upper Case")
}

func killed(t *testing.T, c *rig.Cluster) string {
	for _, n := range c.AwaitNodes(t, "a node is dead", func([]*corev1.Node) error { return nil }) {
		if rig.NodeReady(n) != nil {
			return n.Name
		}
	}
	t.Fatal("no node is dead")
	return ""
}

// alive holds when so many pods are ready on nodes other than a dead one. What
// is still written of those on that node does not matter.
func alive(count int, dead string) func([]*corev1.Pod) error {
	return func(pods []*corev1.Pod) error {
		var errs []error
		ready := 0
		for _, pod := range pods {
			if pod.Spec.NodeName == dead {
				continue
			}
			if err := rig.PodReady(pod); err != nil {
				errs = append(errs, err)
			} else {
				ready++
			}
		}
		if ready < count {
			return fmt.Errorf("%d of %d are ready: %w", ready, count, errors.Join(errs...))
		}
		return nil
	}
}

// on is the node of the pod whose name ends so.
func on(pods []*corev1.Pod, rank string) string {
	for _, pod := range pods {
		if pod.Name == "job-"+rank && pod.DeletionTimestamp == nil {
			return pod.Spec.NodeName
		}
	}
	return ""
}

func routed(t *testing.T, subnet netip.Prefix) bool {
	t.Helper()
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range routes {
		if route.Dst != nil && route.Dst.String() == subnet.String() {
			return true
		}
	}
	return false
}

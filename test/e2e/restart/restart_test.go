// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package restart holds that a cluster that was stopped, or that lost its power,
// goes on with what it had; that it does not notice when the machine's address
// changes; and that its certificates are renewed while it runs.
package restart

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

const space = "restart"

func TestRestart(t *testing.T) {
	c := rig.Start(t)
	c.Namespace(t, space)
	c.Apply(t, space, rig.Claim)
	c.Create(t, space, rig.WithClaim(rig.Server("keeper")))
	service := c.Expose(t, space, rig.Service("keeper", corev1.ServiceTypeClusterIP))
	url := "http://" + service.Spec.ClusterIP
	rig.Answers(t, url, "keeper heard")

	for i, how := range []struct {
		name string
		end  func(*testing.T)
	}{
		{"down", func(t *testing.T) {
			t.Log(strings.TrimSpace(c.OK(t, "down")))
			c.Refuses(t, []string{"no cluster is running", "slipway up"}, "status")
		}},
		{"power failure", func(t *testing.T) { c.PowerFailure(t) }},
	} {
		t.Run(how.name, func(t *testing.T) {
			word := fmt.Sprintf("written-%d", i)
			written := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: word}}
			if _, err := c.Client(t).CoreV1().ConfigMaps(space).Create(t.Context(), written, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			c.Says(t, pod(t, c), "", "write", "/data/"+word, word)
			how.end(t)
			c.Up(t)
			if _, err := c.Client(t).CoreV1().ConfigMaps(space).Get(t.Context(), word, metav1.GetOptions{}); err != nil {
				t.Errorf("what the API server had acknowledged: %v", err)
			}
			rig.Answers(t, url, "keeper heard")
			c.Says(t, pod(t, c), word, "read", "/data/"+word)
		})
	}
	t.Run("address change", func(t *testing.T) { addressChange(t, c, url) })
}

func pod(t *testing.T, c *rig.Cluster) *corev1.Pod {
	t.Helper()
	pod, err := c.Client(t).CoreV1().Pods(space).Get(t.Context(), "keeper", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// addressChange gives the machine another address and default route and takes
// them away again, and starts the cluster anew each time.
func addressChange(t *testing.T, c *rig.Cluster, url string) {
	link := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "slipway-e2e0"}}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(link) })
	// Of RFC 5737: addresses for examples, which lead nowhere.
	for _, address := range []string{"198.51.100.7/24", "203.0.113.9/24"} {
		ip, subnet, err := net.ParseCIDR(address)
		if err != nil {
			t.Fatal(err)
		}
		ours := &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: subnet.Mask}}
		if err := errors.Join(netlink.AddrAdd(link, ours), netlink.LinkSetUp(link)); err != nil {
			t.Fatal(err)
		}
		rig.Answers(t, url, "keeper heard")
		c.PowerFailure(t)
		c.Up(t)
		rig.Answers(t, url, "keeper heard")
		if err := netlink.AddrDel(link, ours); err != nil {
			t.Fatal(err)
		}
		c.AwaitReady(t)
	}
}

// TestDownWithStubbornPods holds that pods that do not want to end do not keep
// a cluster up, and are gone with it.
func TestDownWithStubbornPods(t *testing.T) {
	c := rig.Start(t)
	c.Namespace(t, space)
	long := int64(3600)
	var pods []*corev1.Pod
	for i := range 5 {
		pod := rig.Pod(fmt.Sprintf("stubborn-%d", i), "endure")
		pod.Spec.TerminationGracePeriodSeconds = &long
		pods = append(pods, pod)
	}
	c.Create(t, space, pods...)
	t.Log(strings.TrimSpace(c.OK(t, "down")))
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if program, err := os.Readlink(link); err == nil && program == rig.Program {
			t.Errorf("%s still runs a pod's program", filepath.Dir(link))
		}
	}
}

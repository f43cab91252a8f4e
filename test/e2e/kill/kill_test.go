// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kill holds that any process of a cluster may be killed at any time:
// it comes back by itself, what was written is there, running containers do not
// notice, neither do those whom they serve, and work that waits goes on.
package kill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway.dev/slipway/internal/embedded/control"
	"slipway.dev/slipway/test/e2e/rig"
)

const space = "kill"

func TestKill(t *testing.T) {
	c := rig.Start(t)
	c.Namespace(t, space)
	service := c.Expose(t, space, rig.Service("server", corev1.ServiceTypeClusterIP))
	c.Create(t, space, rig.Server("server"))
	url := "http://" + service.Spec.ClusterIP
	rig.Answers(t, url, "server heard")
	client, before := ask(t, url), containers(t, c)

	for _, name := range []string{"server", "control", "platform", "node:node-0", "containerd:node-0", "supervisor"} {
		t.Run(name, func(t *testing.T) {
			survive(t, c, before, name, func() int {
				pid := pidOf(t, c, name)
				kill(t, pid)
				return pid
			})
		})
	}
	// Nobody stands above the guard; a person or an init system starts it again.
	t.Run("guard and supervisor", func(t *testing.T) {
		survive(t, c, before, "supervisor", func() int {
			pid := pidOf(t, c, "supervisor")
			guard := parent(t, pid)
			kill(t, guard)
			kill(t, pid)
			c.Up(t)
			return pid
		})
	})
	client.stop()
	t.Logf("the Service answered %d requests meanwhile", client.answered)
	if len(client.failures) > 0 {
		t.Errorf("the Service failed %d times: %q", len(client.failures), client.failures)
	}
}

// survive kills something and holds that everything is as before, as soon as
// the process of the name is another one and the supervisor says ready.
func survive(t *testing.T, c *rig.Cluster, before map[string]string, name string, strike func() int) {
	written := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "written-"}}
	written, err := c.Client(t).CoreV1().ConfigMaps(space).Create(t.Context(), written, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	dead := strike()
	rig.Eventually(t, "the cluster is ready again", func(context.Context) error {
		status, err := c.Status(t)
		if err != nil {
			return err
		}
		if pid := find(status, name).PID; !status.Ready || pid == dead || pid == 0 {
			return fmt.Errorf("ready: %t, pid of %s: %d", status.Ready, name, pid)
		}
		return nil
	})
	t.Logf("ready again after %.2f s", time.Since(began).Seconds())
	if _, err := c.Client(t).CoreV1().ConfigMaps(space).Get(t.Context(), written.Name, metav1.GetOptions{}); err != nil {
		t.Errorf("what was written just before: %v", err)
	}
	// A new pod needs every process, and its status shows that the kubelet's
	// view of the others is a new one, too.
	fresh := rig.Server("fresh-" + strings.TrimPrefix(written.Name, "written-"))
	c.Create(t, space, fresh)
	t.Logf("a new pod serves after %.2f s", time.Since(began).Seconds())
	c.OK(t, "kubectl", "delete", "pod", "-n", space, fresh.Name)
	if diff := cmp.Diff(before, containers(t, c)); diff != "" {
		t.Errorf("containers are not those from before (-before +after):\n%s", diff)
	}
}

// containers says, for each container of the cluster, which it is and how often
// it was restarted.
func containers(t *testing.T, c *rig.Cluster) map[string]string {
	t.Helper()
	pods, err := c.Client(t).CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, pod := range pods.Items {
		for _, s := range pod.Status.ContainerStatuses {
			all[pod.Namespace+"/"+pod.Name+"/"+s.Name] = fmt.Sprintf("%s, %d restarts, ready %t", s.ContainerID, s.RestartCount, s.Ready)
		}
	}
	return all
}

func find(status control.Status, name string) control.Process {
	for _, p := range status.Processes {
		if p.Name == name {
			return p
		}
	}
	return control.Process{}
}

func pidOf(t *testing.T, c *rig.Cluster, name string) int {
	t.Helper()
	status, err := c.Status(t)
	if err != nil {
		t.Fatal(err)
	}
	pid := find(status, name).PID
	if pid == 0 {
		t.Fatalf("the status has no process %q", name)
	}
	return pid
}

// parent reads it from /proc/PID/stat, proc(5): "pid (comm) state ppid …".
func parent(t *testing.T, pid int) int {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ppid, err := strconv.Atoi(fields[1])
	if err != nil {
		t.Fatal(err)
	}
	return ppid
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if pid <= 1 {
		t.Fatal("the process has no parent to kill")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
}

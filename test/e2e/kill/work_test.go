// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kill

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	toolscache "k8s.io/client-go/tools/cache"

	"slipway.dev/slipway/test/e2e/rig"
)

const (
	work = "work"
	// jobs of two pods with a device each, for a node that has devices for two of them.
	jobs, devices = 20, 4
)

// TestWork: jobs that wait for one another's devices all run to their end, each once,
// whatever is killed meanwhile, and never have more devices than there are.
func TestWork(t *testing.T) {
	c := rig.Start(t)
	c.Namespace(t, work)
	c.Devices(t, rig.Device, devices)
	seen := watch(t, c)
	var all []string
	for i := range jobs {
		name := fmt.Sprintf("job-%02d", i)
		all = append(all, rig.Job{Name: name, Workers: 2, Args: "[pass, 1s]", Restart: "Never", Resources: rig.OneDevice}.Manifest())
	}
	c.Apply(t, work, strings.Join(all, "---"))
	for i, name := range []string{"platform", "server", "control", "platform", "containerd:node-0", "server"} {
		awaitJobs(t, c, 1+3*i)
		kill(t, pidOf(t, c, name))
	}
	awaitJobs(t, c, jobs)
	rig.Eventually(t, "no gang is left", func(context.Context) error {
		if left := c.OK(t, "kubectl", "get", "gangs", "-n", work, "-o", "name"); left != "" {
			return fmt.Errorf("there are %s", left)
		}
		return nil
	})
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if len(seen.pods) != 2*jobs {
		t.Errorf("%d pods were made for %d jobs of two", len(seen.pods), jobs)
	}
	if len(seen.faults) > 0 {
		t.Error(strings.Join(seen.faults, "\n"))
	}
}

// awaitJobs of which so many have succeeded. None may fail: that a process of the
// cluster was killed is no fault of a job's.
func awaitJobs(t *testing.T, c *rig.Cluster, want int) {
	t.Helper()
	rig.Eventually(t, fmt.Sprintf("%d jobs have succeeded", want), func(context.Context) error {
		out := c.Run(t, "kubectl", "get", "pytorchjobs", "-n", work, "-o",
			`jsonpath={range .items[*]}{.status.conditions[?(@.status=="True")].type}{"\n"}{end}`)
		if strings.Contains(out.Stdout, "Failed") {
			t.Fatalf("jobs have failed:\n%s", out.Stdout)
		}
		if have := strings.Count(out.Stdout, "Succeeded"); have < want {
			return fmt.Errorf("%d have: %s", have, out.Stderr)
		}
		return nil
	})
}

// seen is what became of the pods, as they were watched.
type seen struct {
	mu   sync.Mutex
	pods map[types.UID]bool
	// faults: pods had more devices than there are, or a kubelet had to refuse one.
	faults []string
}

func watch(t *testing.T, c *rig.Cluster) *seen {
	s := &seen{pods: map[types.UID]bool{}}
	factory := informers.NewSharedInformerFactoryWithOptions(c.Client(t), 0, informers.WithNamespace(work))
	pods := factory.Core().V1().Pods().Informer()
	look := func(any) { s.look(pods.GetStore().List()) }
	if _, err := pods.AddEventHandler(toolscache.ResourceEventHandlerFuncs{AddFunc: look, UpdateFunc: func(_, o any) { look(o) }}); err != nil {
		t.Fatal(err)
	}
	factory.Start(t.Context().Done())
	return s
}

func (s *seen) look(pods []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := 0
	for _, o := range pods {
		pod := o.(*corev1.Pod)
		s.pods[pod.UID] = true
		if strings.HasPrefix(pod.Status.Reason, "OutOf") {
			s.faults = append(s.faults, fmt.Sprintf("pod %s was refused: %s", pod.Name, pod.Status.Message))
		}
		if pod.Spec.NodeName != "" && (pod.Status.Phase == corev1.PodPending || pod.Status.Phase == corev1.PodRunning) {
			taken++
		}
	}
	if taken > devices {
		s.faults = append(s.faults, fmt.Sprintf("%d pods had a device at once, of which there are %d", taken, devices))
	}
}

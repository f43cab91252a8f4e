// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Label selects a pod by its name.
const Label = "probe"

// Port is where a pod made by Server answers.
const Port = 8080

// Pod is a pod that runs the probe with the given arguments, as nobody.
func Pod(name string, args ...string) *corev1.Pod {
	grace := int64(1)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{Label: name}},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: &grace,
			Containers:                    []corev1.Container{{Name: "probe", Image: Image, ImagePullPolicy: corev1.PullNever, Args: args}},
		},
	}
}

// Server is a pod that answers HTTP with its name and with who asked.
func Server(name string) *corev1.Pod {
	pod := Pod(name, "serve", fmt.Sprintf(":%d", Port))
	pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 1,
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(Port)}}}
	return pod
}

// Service sends port 80 to the pod of a name. It is called otherwise than the
// pod, which knows its own name without asking.
func Service(pod string, kind corev1.ServiceType) *corev1.Service {
	families := corev1.IPFamilyPolicyPreferDualStack
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "to-" + pod},
		Spec: corev1.ServiceSpec{Type: kind, IPFamilyPolicy: &families, Selector: map[string]string{Label: pod},
			Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(Port)}}},
	}
}

// Create makes pods in a namespace and returns them as soon as all are ready.
func (c *Cluster) Create(t *testing.T, namespace string, pods ...*corev1.Pod) []*corev1.Pod {
	t.Helper()
	var names []string
	for _, pod := range pods {
		if _, err := c.Client(t).CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		names = append(names, pod.Name)
	}
	ready := map[string]*corev1.Pod{}
	for _, pod := range c.AwaitPods(t, namespace, Label+" in ("+strings.Join(names, ",")+")", "the pods are ready", func(seen []*corev1.Pod) error {
		return errors.Join(atLeast(len(seen), len(pods)), each(seen, PodReady))
	}) {
		ready[pod.Name] = pod
	}
	var made []*corev1.Pod
	for _, name := range names {
		made = append(made, ready[name])
	}
	return made
}

// Expose makes a Service and returns it with its addresses.
func (c *Cluster) Expose(t *testing.T, namespace string, service *corev1.Service) *corev1.Service {
	t.Helper()
	made, err := c.Client(t).CoreV1().Services(namespace).Create(t.Context(), service, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// PodReady says what is missing.
func PodReady(pod *corev1.Pod) error {
	if pod.DeletionTimestamp != nil {
		return fmt.Errorf("pod %s ends", pod.Name)
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return nil
		}
	}
	return fmt.Errorf("pod %s is %s, not ready: %v", pod.Name, pod.Status.Phase, pod.Status.ContainerStatuses)
}

// PodsReady holds for so many pods, all of them ready.
func PodsReady(count int) func([]*corev1.Pod) error {
	return func(pods []*corev1.Pod) error {
		if len(pods) != count {
			return fmt.Errorf("there are %d pods, not %d", len(pods), count)
		}
		return each(pods, PodReady)
	}
}

// PodDone holds for a pod that succeeded.
func PodDone(pod *corev1.Pod) error {
	if pod.Status.Phase != corev1.PodSucceeded {
		return fmt.Errorf("pod %s is %s: %v", pod.Name, pod.Status.Phase, pod.Status.ContainerStatuses)
	}
	return nil
}

// Exec runs the probe once more, inside a running pod.
func (c *Cluster) Exec(t *testing.T, pod *corev1.Pod, args ...string) Output {
	t.Helper()
	return c.Run(t, append([]string{"kubectl", "exec", "-n", pod.Namespace, pod.Name, "--", Program}, args...)...)
}

// Says returns when the probe, run inside a pod, succeeds and prints something.
func (c *Cluster) Says(t *testing.T, pod *corev1.Pod, want string, args ...string) {
	t.Helper()
	Eventually(t, fmt.Sprintf("in pod %s, %q says %q", pod.Name, args, want), func(context.Context) error {
		o := c.Exec(t, pod, args...)
		if o.Code != 0 || !strings.Contains(o.Stdout, want) {
			return fmt.Errorf("code %d: %s%s", o.Code, o.Stdout, o.Stderr)
		}
		return nil
	})
}

// Get asks a URL from the machine, over a connection of its own.
func Get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, response.Status)
	}
	return string(body), err
}

// Answers returns when a URL, asked from the machine, answers with something.
func Answers(t *testing.T, url, want string) {
	t.Helper()
	Eventually(t, fmt.Sprintf("%s answers %q", url, want), func(ctx context.Context) error {
		body, err := Get(ctx, url)
		if err == nil && !strings.Contains(body, want) {
			err = fmt.Errorf("it answers %q", body)
		}
		return err
	})
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

// encryption holds that the content of a Secret is nowhere on the disk. A
// ConfigMap, which is not encrypted, shows that it would have been found.
func encryption(t *testing.T, c *rig.Cluster) {
	const hidden, open = "the-plaintext-of-a-secret", "the-plaintext-of-a-config"
	space, client := c.Namespace(t, "encryption"), c.Client(t).CoreV1()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, StringData: map[string]string{"key": hidden}}
	if _, err := client.Secrets(space).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c"}, Data: map[string]string{"key": open}}
	if _, err := client.ConfigMaps(space).Create(t.Context(), config, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if read, err := client.Secrets(space).Get(t.Context(), "s", metav1.GetOptions{}); err != nil || string(read.Data["key"]) != hidden {
		t.Fatalf("the Secret reads %q: %v", read.Data["key"], err)
	}
	if found := holding(t, filepath.Join(c.Data, "etcd"), open); len(found) == 0 {
		t.Fatal("etcd's files do not even hold what is not encrypted; this test looks at the wrong place")
	}
	if found := holding(t, c.Data, hidden); len(found) > 0 {
		t.Errorf("the plaintext of a Secret is in %v", found)
	}
}

// holding lists the files below a folder that hold some text.
func holding(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a pod came or went meanwhile
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && bytes.Contains(content, []byte(text)) {
			found = append(found, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// audit holds that who changed what can be found, without the content of Secrets.
func audit(t *testing.T, c *rig.Cluster) {
	const content = "what-no-log-may-hold"
	space := c.Namespace(t, "audit")
	c.OK(t, "kubectl", "create", "secret", "generic", "watched", "-n", space, "--from-literal=key="+content)
	log := filepath.Join(c.Data, "log", "audit.log")
	rig.Eventually(t, "the audit log has the Secret's creation", func(context.Context) error {
		text, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, `"verb":"create"`) && strings.Contains(line, `"resource":"secrets"`) && strings.Contains(line, `"name":"watched"`) {
				return nil
			}
		}
		return errors.New("it is not there")
	})
	if found := holding(t, filepath.Dir(log), content); len(found) > 0 {
		t.Errorf("the content of a Secret is in %v", found)
	}
}

// podSecurity holds that a namespace can refuse pods that could take the machine.
func podSecurity(t *testing.T, c *rig.Cluster) {
	space := c.Namespace(t, "restricted")
	c.OK(t, "kubectl", "label", "namespace", space, "pod-security.kubernetes.io/enforce=restricted")
	yes, no := true, false
	pod := rig.Pod("privileged", "wait")
	pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &yes}
	_, err := c.Client(t).CoreV1().Pods(space).Create(t.Context(), pod, metav1.CreateOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "violates PodSecurity") {
		t.Errorf("making a privileged pod in a restricted namespace: %v, want a refusal", err)
	}
	modest := rig.Pod("modest", "wait")
	modest.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes,
		Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	c.Create(t, space, modest)
}

// leastPrivilege holds that the platform is not the administrator, and that
// those without a name are nobody.
func leastPrivilege(t *testing.T, c *rig.Cluster) {
	platform := "--kubeconfig=" + filepath.Join(c.Data, "pki", "platform.kubeconfig")
	for what, want := range map[string]string{
		"list pytorchjobs.kubeflow.org": "yes", "get secrets": "no", "create clusterrolebindings": "no", "create pods --subresource=exec": "no",
	} {
		args := append([]string{"kubectl", platform, "auth", "can-i", "--all-namespaces"}, strings.Fields(what)...)
		if got := strings.TrimSpace(c.Run(t, args...).Stdout); got != want {
			t.Errorf("may the platform %s? %q, want %q", what, got, want)
		}
	}
	status, err := c.Status(t)
	if err != nil {
		t.Fatal(err)
	}
	node := status.Cluster.NodeIP(status.Cluster.First()).String()
	for url, want := range map[string]int{
		status.Cluster.APIServer() + "/api/v1/pods": http.StatusForbidden,
		"https://" + node + ":10250/pods":           http.StatusUnauthorized,
	} {
		if got := anonymously(t, url); got != want {
			t.Errorf("%s answers nobody with status %d, want %d", url, got, want)
		}
	}
}

// anonymously asks a URL without credentials, whatever its certificate.
func anonymously(t *testing.T, url string) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

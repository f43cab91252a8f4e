// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster holds the promise of "slipway up": what runs is a genuine
// Kubernetes, with a network, names, volumes, policies, metrics and locks on
// its doors, and pods on it behave as anywhere else.
package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway.dev/slipway/test/e2e/rig"
)

func TestCluster(t *testing.T) {
	c := rig.Start(t)
	for _, promise := range []struct {
		name  string
		holds func(*testing.T, *rig.Cluster)
	}{
		{"images", images},
		{"names", names},
		{"services", services},
		{"host port", hostPort},
		{"volumes", volumes},
		{"policies", policies},
		{"metrics", metrics},
		{"encryption", encryption},
		{"audit", audit},
		{"pod security", podSecurity},
		{"least privilege", leastPrivilege},
		{"files", files},
		{"second up", secondUp},
	} {
		t.Run(promise.name, func(t *testing.T) { promise.holds(t, c) })
	}
}

// images holds that whatever people have can be imported and run.
func images(t *testing.T, c *rig.Cluster) {
	space, program := c.Namespace(t, "images"), c.BuildProbe(t)
	for _, form := range []rig.Form{
		{Name: "docker"}, {Name: "docker-gzip", Archive: "gzip"}, {Name: "docker-zstd", Archive: "zstd"},
		{Name: "oci", OCI: true}, {Name: "oci-gzip", OCI: true, Layer: "zstd", Archive: "gzip"},
		{Name: "oci-zstd", OCI: true, Archive: "zstd"},
	} {
		reference := "slipway.local/" + form.Name + ":1"
		c.OK(t, "image", "import", rig.Pack(t, program, reference, form))
		if list := c.OK(t, "image", "ls"); !strings.Contains(list, reference) {
			t.Errorf("%s is imported but not listed:\n%s", reference, list)
		}
		pod := rig.Server(form.Name)
		pod.Spec.Containers[0].Image = reference
		c.Create(t, space, pod)
	}
	c.OK(t, "image", "rm", "slipway.local/docker-gzip:1")
	if list := c.OK(t, "image", "ls"); strings.Contains(list, "slipway.local/docker-gzip:1") {
		t.Errorf("a removed image is still listed:\n%s", list)
	}
}

// files holds that only root can read what opens the cluster.
func files(t *testing.T, c *rig.Cluster) {
	secret, _ := filepath.Glob(filepath.Join(c.Data, "pki", "*"))
	for _, path := range append(secret, filepath.Join(c.Data, "kubeconfig")) {
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm()&0o077 != 0 && filepath.Ext(path) != ".crt" {
			t.Errorf("%s has mode %v, which lets others in", path, info.Mode())
		}
	}
	if info, err := os.Stat(filepath.Join(c.Data, "kubeconfig")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the kubeconfig has mode %v, want 0600: %v", info.Mode(), err)
	}
}

func secondUp(t *testing.T, c *rig.Cluster) {
	o := c.Run(t, "up", "--detach")
	if o.Code == 0 || !strings.Contains(o.Stderr, "already running on "+c.Data) || strings.Count(o.Stderr, "\n") != 1 {
		t.Errorf("a second up ended with code %d and said %q, want one line that says what is running", o.Code, o.Stderr)
	}
	if status, err := c.Status(t); err != nil || !status.Ready {
		t.Errorf("after a second up the cluster is not ready: %v", err)
	}
}

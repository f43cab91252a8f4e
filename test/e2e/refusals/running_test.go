// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package refusals

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

// TestRunning holds what a running cluster refuses, and that it then has what it
// had before.
func TestRunning(t *testing.T) {
	// Room for a cluster, and small enough to be filled.
	c := rig.NewIn(t, memoryDisk(t, "size=1800m"))
	c.Up(t)
	t.Run("manifests", func(t *testing.T) { manifests(t, c) })
	t.Run("archives", func(t *testing.T) { archives(t, c) })
	t.Run("full disk", func(t *testing.T) { fullDisk(t, c) })
}

const good = `
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: good}
spec: {pytorchReplicaSpecs: {Master: {template: {spec: {containers: [{name: pytorch, image: slipway.local/none:1, imagePullPolicy: Never}]}}}}}
---
`

func manifests(t *testing.T, c *rig.Cluster) {
	space := c.Namespace(t, "manifests")
	for _, refusal := range []struct {
		name, content string
		words         []string
	}{
		{"empty", "", []string{"holds no object"}},
		{"no YAML", "kind: Pod\na: b: c:", []string{"document 1", "line 2"}},
		{"no kind", "metadata: {name: x}", []string{"kind"}},
		{"unknown kind", "apiVersion: v1\nkind: Pdo\nmetadata: {name: x}", []string{"Pdo"}},
		{"unknown field", strings.Replace(good, "pytorchReplicaSpecs", "pytorchReplicaSpec", 1), []string{"pytorchReplicaSpec", "line 5"}},
		{"wrong type", strings.Replace(good, "Master: {", "Master: {replicas: many, ", 1), []string{"replicas"}},
		{"no name", strings.Replace(good, "name: good", "labels: {a: b}", 1), []string{"metadata.name"}},
		{"negative quantity", good + "apiVersion: slipway.dev/v1alpha1\nkind: Gang\nmetadata: {name: bad}\nspec: {podSets: [{name: a, count: -1}]}", []string{"count"}},
	} {
		t.Run(refusal.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "job.yaml")
			if err := os.WriteFile(file, []byte(refusal.content), 0o600); err != nil {
				t.Fatal(err)
			}
			c.Refuses(t, refusal.words, "train", "-n", space, "-F", file)
			if made := c.OK(t, "kubectl", "get", "pytorchjobs,gangs", "-n", space, "-o", "name"); made != "" {
				t.Errorf("it was refused, and yet there is %s", made)
			}
		})
	}
	c.Refuses(t, []string{"no such file", "/nonexistent"}, "train", "-F", "/nonexistent")
	c.Refuses(t, []string{"is a directory"}, "train", "-F", t.TempDir())
}

// archives holds that an archive that is not whole is not imported in part.
func archives(t *testing.T, c *rig.Cluster) {
	program := c.BuildProbe(t)
	whole, err := os.ReadFile(rig.Pack(t, program, rig.Image, rig.Form{Name: "whole", OCI: true}))
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := os.ReadFile(rig.Pack(t, program, rig.Image, rig.Form{Name: "zipped", Archive: "gzip"}))
	if err != nil {
		t.Fatal(err)
	}
	before := c.OK(t, "image", "ls")
	for _, refusal := range []struct {
		name    string
		content []byte
	}{
		{"empty", nil},
		{"text", []byte("this is no archive")},
		{"truncated", whole[:len(whole)*2/3]},
		{"truncated and compressed", zipped[:len(zipped)*2/3]},
		{"damaged", damaged(whole, program)},
		{"damaged and compressed", flip(zipped, len(zipped)/2)},
	} {
		t.Run(refusal.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "archive")
			if err := os.WriteFile(path, refusal.content, 0o600); err != nil {
				t.Fatal(err)
			}
			c.Refuses(t, []string{path, "nothing was imported"}, "image", "import", path)
			if after := c.OK(t, "image", "ls"); after != before {
				t.Errorf("images before:\n%safter:\n%s", before, after)
			}
		})
	}
	c.Refuses(t, []string{"no such file"}, "image", "import", "/nonexistent")
	c.Refuses(t, []string{"no image", "slipway image ls"}, "image", "rm", "slipway.local/nobody:1")
	c.ImportProbe(t)
	c.Create(t, c.Namespace(t, "archives"), rig.Server("afterwards"))
}

// damaged changes one byte of the layer, which a digest vouches for.
func damaged(archive, program []byte) []byte {
	return flip(archive, len(archive)-len(program)/4)
}

func flip(content []byte, at int) []byte {
	out := bytes.Clone(content)
	out[at] ^= 0x40
	return out
}

// fullDisk holds that an import for which there is no room leaves nothing
// behind, and that the cluster works as soon as there is room again.
func fullDisk(t *testing.T, c *rig.Cluster) {
	big := make([]byte, 200<<20)
	if _, err := rand.Read(big); err != nil {
		t.Fatal(err)
	}
	archive := rig.Pack(t, big, "slipway.local/big:1", rig.Form{Name: "big"})
	before := c.OK(t, "image", "ls")
	ballast := filepath.Join(filepath.Dir(c.Data), "ballast")
	fill(t, ballast, 60<<20)
	c.Refuses(t, []string{archive, "no space left on device", "nothing was imported"}, "image", "import", archive)
	if after := c.OK(t, "image", "ls"); after != before {
		t.Errorf("images before:\n%safter:\n%s", before, after)
	}
	// Now to the last byte.
	more := ballast + "-2"
	fill(t, more, 0)
	o := c.Run(t, "image", "import", archive)
	if o.Code == 0 {
		t.Error("an import onto a full disk succeeds")
	}
	for _, path := range []string{ballast, more} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	c.AwaitReady(t)
	c.OK(t, "image", "import", archive)
	c.AwaitNodes(t, "the node takes pods again", func(nodes []*corev1.Node) error {
		for _, taint := range nodes[0].Spec.Taints {
			return errors.New("it has the taint " + taint.Key)
		}
		return nil
	})
	c.Create(t, c.Namespace(t, "disk"), rig.Server("afterwards"))
}

// fill the disk with one file until so many bytes are left.
func fill(t *testing.T, path string, leave int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		t.Fatal(err)
	}
	size := int64(fs.Bavail)*fs.Bsize - leave
	if size <= 0 {
		t.Fatalf("%d bytes are free, and %d were to be left", int64(fs.Bavail)*fs.Bsize, leave)
	}
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		t.Fatal(err)
	}
}

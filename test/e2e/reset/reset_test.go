// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package reset holds that a cluster which was used and is removed leaves the
// machine as it was before: "slipway reset" undoes what was done, and nothing
// else.
package reset

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

func TestReset(t *testing.T) {
	theirs := somebodyElses(t)
	before := look(t)
	c := rig.New(t)
	for _, how := range []struct {
		name string
		end  func(*testing.T, *rig.Cluster)
	}{
		{"running", func(*testing.T, *rig.Cluster) {}},
		{"stopped", func(t *testing.T, c *rig.Cluster) { c.OK(t, "down") }},
		{"killed", func(t *testing.T, c *rig.Cluster) { c.PowerFailure(t) }},
	} {
		t.Run(how.name, func(t *testing.T) {
			c.Up(t, "--nodes", "2")
			c.ImportProbe(t)
			use(t, c)
			if diff := cmp.Diff(before, look(t)); diff == "" {
				t.Fatal("a cluster in use is not seen; this test looks at the wrong things")
			}
			how.end(t, c)
			c.OK(t, "reset", "--yes")
			if diff := cmp.Diff(before, look(t)); diff != "" {
				t.Errorf("the machine is not as it was (-before +after):\n%s", diff)
			}
			if _, err := os.Stat(c.Data); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there: %v", c.Data, err)
			}
		})
	}
	theirs(t)
}

// use the cluster so that each component changes whatever it changes: links,
// routes, rules, mounts, control groups, kernel parameters.
func use(t *testing.T, c *rig.Cluster) {
	space := c.Namespace(t, "reset")
	c.Apply(t, space, objects)
	server := rig.WithClaim(rig.Server("server"))
	server.Spec.Volumes = append(server.Spec.Volumes, corev1.Volume{Name: "memory", VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}})
	main := &server.Spec.Containers[0]
	main.Ports = []corev1.ContainerPort{{ContainerPort: rig.Port, HostPort: 18098}}
	main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: "memory", MountPath: "/memory"})
	far := rig.Server("far")
	far.Spec.NodeName = "node-1"
	c.Create(t, space, server, far)
	service := c.Expose(t, space, rig.Service("server", corev1.ServiceTypeNodePort))
	rig.Answers(t, "http://"+service.Spec.ClusterIP, "server heard")
	// A node that is dead when the cluster is removed leaves no less behind.
	c.OK(t, "node", "kill", "node-1")
}

const objects = rig.Claim + `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-anywhere}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{}]}
`

// somebodyElses are things of the kinds that a cluster makes, and that are not
// the cluster's. The function that it returns holds that they are still there.
func somebodyElses(t *testing.T) func(*testing.T) {
	file := filepath.Join("/var/lib/cni", "somebody-elses")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Remove(file)
		_ = os.Remove(filepath.Dir(file)) // unless it was there
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return func(t *testing.T) {
		if _, err := os.Stat(file); err != nil {
			t.Errorf("what was somebody else's is gone: %v", err)
		}
		if connection, err := net.Dial("tcp", listener.Addr().String()); err != nil {
			t.Errorf("somebody else's listener is gone: %v", err)
		} else {
			_ = connection.Close()
		}
	}
}

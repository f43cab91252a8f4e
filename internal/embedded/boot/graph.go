// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/containerd"
	"slipway.dev/slipway/internal/embedded/controlplane"
	"slipway.dev/slipway/internal/embedded/images"
	"slipway.dev/slipway/internal/embedded/manifests"
	"slipway.dev/slipway/internal/embedded/network"
	"slipway.dev/slipway/internal/embedded/node"
	"slipway.dev/slipway/internal/embedded/pki"
	"slipway.dev/slipway/internal/embedded/supervise"
)

// steps is the whole boot, in one list. Steps that do not need one another run
// at the same time.
func (s *Supervisor) steps() []supervise.Step {
	steps := []supervise.Step{
		{Name: "certificates", Run: s.certificates},
		{Name: "network", Run: s.prepareNetwork},
		{Name: "server", Needs: []string{"certificates", "network"}, Run: s.server().Start},
		{Name: "schemas", Needs: []string{"server"}, Run: s.applySchemas},
		{Name: "manifests", Needs: []string{"schemas"}, Run: s.applyManifests},
		{Name: "control", Needs: []string{"server"}, Run: s.control().Start},
		{Name: "platform", Needs: []string{"manifests"}, Run: s.platform().Start},
		{Name: "admission", Needs: []string{"manifests"}, Run: s.awaitAdmission},
	}
	for _, n := range s.cluster.Nodes {
		steps = append(steps, s.nodeSteps(n)...)
	}
	return append(steps, supervise.Step{Name: "dns", Run: s.awaitDNS,
		Needs: []string{"manifests", "control", "ready:" + s.cluster.First().Name}})
}

// nodeSteps bring up one node.
func (s *Supervisor) nodeSteps(n cluster.Node) []supervise.Step {
	containers, agent, images := "containerd:"+n.Name, "node:"+n.Name, "images:"+n.Name
	return []supervise.Step{
		{Name: containers, Needs: []string{"network"}, Run: s.startContainerd(n)},
		{Name: images, Needs: []string{containers}, Run: s.importPause(n)},
		{Name: agent, Needs: []string{"manifests", images}, Run: s.nodeAgent(n).Start},
		{Name: "ready:" + n.Name, Needs: []string{agent}, Run: func(ctx context.Context) error {
			return node.AwaitReady(ctx, s.cluster.KubeconfigOf("supervisor"), n.Name)
		}},
	}
}

func (s *Supervisor) certificates(context.Context) error {
	if _, err := pki.Ensure(s.cluster, time.Now()); err != nil {
		return err
	}
	return cluster.WriteFile(s.cluster.PKI("audit-policy.yaml"), []byte(controlplane.AuditPolicy), 0o600)
}

func (s *Supervisor) prepareNetwork(context.Context) error {
	if err := network.Prepare(s.cluster, s.journal); err != nil {
		return err
	}
	for _, n := range s.cluster.Nodes {
		if err := s.prepareNode(n); err != nil {
			return fmt.Errorf("preparing %s: %w", n.Name, err)
		}
	}
	return nil
}

// prepareNode makes a node's namespace, control group and configuration files.
func (s *Supervisor) prepareNode(n cluster.Node) error {
	if err := network.AddNode(s.cluster, n, s.journal); err != nil {
		return err
	}
	if err := makeCgroup(s.cluster.CgroupRoot(n), s.journal); err != nil {
		return err
	}
	config, err := containerd.Config(s.cluster, n, s.programs, s.host)
	if err != nil {
		return err
	}
	cni, err := network.CNIConfig(s.cluster, n)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.cluster.NodeRun(n), 0o711); err != nil {
		return err
	}
	for path, content := range map[string][]byte{
		containerd.ConfigFile(s.cluster, n):                config,
		s.cluster.NodeDir(n, "cni", "10-slipway.conflist"): cni,
		s.cluster.NodeDir(n, "resolv.conf"):                s.resolvers,
	} {
		if err := cluster.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (s *Supervisor) applySchemas(ctx context.Context) error {
	applier, err := manifests.NewApplier(s.cluster.KubeconfigOf("supervisor"))
	if err != nil {
		return err
	}
	schemas, err := manifests.Schemas()
	if err != nil {
		return err
	}
	if err := applier.Apply(ctx, schemas); err != nil {
		return err
	}
	return applier.AwaitSchemas(ctx, schemas)
}

func (s *Supervisor) applyManifests(ctx context.Context) error {
	applier, err := manifests.NewApplier(s.cluster.KubeconfigOf("supervisor"))
	if err != nil {
		return err
	}
	common, err := manifests.RolesAndPolicies()
	if err != nil {
		return err
	}
	custom, err := manifests.CustomPolicies()
	if err != nil {
		return err
	}
	objects, err := manifests.Cluster(s.cluster, s.programs, s.resolvers)
	if err != nil {
		return err
	}
	return applier.Apply(ctx, slices.Concat(common, custom, objects))
}

// awaitAdmission so that whoever is told that the cluster is up can make any job.
func (s *Supervisor) awaitAdmission(ctx context.Context) error {
	applier, err := manifests.NewApplier(s.cluster.KubeconfigOf("supervisor"))
	if err != nil {
		return err
	}
	return applier.AwaitAdmission(ctx)
}

func (s *Supervisor) importPause(n cluster.Node) func(context.Context) error {
	return func(ctx context.Context) error {
		store, err := images.Open(s.cluster.ContainerdSocket(n))
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
		archive, err := images.FromProgram(s.programs.Pause(), "pause", containerd.PauseImage)
		if err != nil {
			return err
		}
		return store.ImportBytes(ctx, archive)
	}
}

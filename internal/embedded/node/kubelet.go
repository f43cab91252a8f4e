// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package node runs what every node has: the kubelet and the service proxy.
// They share a process because they share a fate: a node without either is no
// node.
package node

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	kubeletvalidation "k8s.io/kubernetes/pkg/kubelet/apis/config/validation"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/turn"
)

// LabelMachine on a node carries the cluster's ID: nodes with the same value
// are on the same machine and see the same disk.
const LabelMachine = "slipway.dev/machine"

// RunKubelet runs the kubelet until ctx ends.
func RunKubelet(ctx context.Context, c *cluster.Cluster, n cluster.Node, host cluster.Host) error {
	config, err := options.NewKubeletConfiguration()
	if err != nil {
		return fmt.Errorf("making the kubelet's configuration: %w", err)
	}
	configure(config, c, n, host)
	if err := kubeletvalidation.ValidateKubeletConfiguration(config, utilfeature.DefaultFeatureGate); err != nil {
		return fmt.Errorf("checking the kubelet's configuration: %w", err)
	}
	server := &options.KubeletServer{KubeletFlags: *flags(c, n), KubeletConfiguration: *config}
	deps, err := app.UnsecuredDependencies(ctx, server, utilfeature.DefaultFeatureGate)
	if err != nil {
		return fmt.Errorf("preparing the kubelet: %w", err)
	}
	utilfeature.DefaultMutableFeatureGate.AddMetrics()
	if err := takeTurn(ctx, c); err != nil {
		return err
	}
	return app.Run(ctx, server, deps, utilfeature.DefaultFeatureGate)
}

const (
	// deviceSocket is where every kubelet of a machine listens for device plugins, upstream's
	// v1beta1.KubeletSocket; package turn says what that means.
	deviceSocket = "/var/lib/kubelet/device-plugins/kubelet.sock"
	// turnLimit is how long others wait for one that does not come to listen there.
	turnLimit = 10 * time.Second
)

// takeTurn lets no other kubelet of the cluster start before this one listens.
func takeTurn(ctx context.Context, c *cluster.Cluster) error {
	taken, err := turn.Take(ctx, filepath.Join(c.RunDir, "kubelets.lock"))
	if err != nil {
		return fmt.Errorf("starting the kubelet: %w", err)
	}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, turnLimit)
		defer cancel()
		turn.AwaitListener(ctx, deviceSocket)
		_ = taken.Close()
	}()
	return nil
}

func flags(c *cluster.Cluster, n cluster.Node) *options.KubeletFlags {
	f := options.NewKubeletFlags()
	f.KubeConfig = c.KubeconfigOf("kubelet-" + n.Name)
	f.HostnameOverride = n.Name
	f.RootDirectory = c.NodeDir(n, "kubelet")
	f.CertDirectory = c.NodeDir(n, "kubelet", "pki")
	f.NodeLabels = map[string]string{LabelMachine: c.ID}
	f.NodeIP = c.NodeIP(n).String()
	if c.DualStack {
		f.NodeIP += "," + c.NodeIP6(n).String()
	}
	return f
}

func configure(k *kubeletconfig.KubeletConfiguration, c *cluster.Cluster, n cluster.Node, host cluster.Host) {
	secure(k, c, n)
	k.ContainerRuntimeEndpoint = "unix://" + c.ContainerdSocket(n)
	k.PodLogsDir = c.NodeDir(n, "pods-log")
	k.VolumePluginDir = c.NodeDir(n, "volume-plugins")
	k.CgroupRoot = c.CgroupRoot(n)
	// Also where systemd is: the supervisor makes and removes the tree itself, on
	// every host alike.
	k.CgroupDriver = "cgroupfs"
	k.FailCgroupV1 = false
	k.FailSwapOn = false
	k.ClusterDomain = "cluster.local"
	k.ClusterDNS = []string{c.DNSServiceIP().String()}
	k.ResolverConfig = c.NodeDir(n, "resolv.conf")
	k.MakeIPTablesUtilChains = false
	k.ProtectKernelDefaults = false
	k.MaxPods = 240
	k.SerializeImagePulls = false
	k.EvictionHard = map[string]string{"memory.available": "100Mi", "nodefs.available": "2%", "imagefs.available": "2%", "nodefs.inodesFree": "2%"}
	k.ImageGCHighThresholdPercent, k.ImageGCLowThresholdPercent = 95, 90
	k.NodeStatusUpdateFrequency = metav1.Duration{Duration: 5 * time.Second}
	k.NodeStatusReportFrequency = metav1.Duration{Duration: time.Minute}
	k.NodeLeaseDurationSeconds = 20
	k.SyncFrequency = metav1.Duration{Duration: time.Minute}
	k.OOMScoreAdj = 0
	if host.CanLowerOOMScore {
		k.OOMScoreAdj = -999
	}
}

func secure(k *kubeletconfig.KubeletConfiguration, c *cluster.Cluster, n cluster.Node) {
	k.Address = c.NodeIP(n).String()
	k.Port = cluster.PortKubelet
	k.ReadOnlyPort = 0
	k.HealthzPort, k.HealthzBindAddress = cluster.PortKubeletHealth, c.NodeIP(n).String()
	k.TLSCertFile = c.PKI("serving-" + n.Name + ".crt")
	k.TLSPrivateKeyFile = c.PKI("serving-" + n.Name + ".key")
	k.Authentication.Anonymous.Enabled = false
	k.Authentication.Webhook.Enabled = true
	k.Authentication.X509.ClientCAFile = c.PKI("ca.crt")
	k.Authorization.Mode = kubeletconfig.KubeletAuthorizationModeWebhook
	k.SeccompDefault = true
	k.EnableProfilingHandler = false
}

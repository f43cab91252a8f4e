// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package containerd runs containerd with its CRI service, one for each node.
//
// It is upstream's server with the plugins that a node needs, linked into
// slipway-kube. Containers are children of their shims: they outlive it, and
// the next containerd finds them again.
package containerd

import (
	"bytes"
	"fmt"
	"text/template"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// PauseImage is the image of a pod's first container. It is made from our own
// program and imported, never pulled.
const PauseImage = "slipway.local/pause:1"

// configTemplate is a version 4 configuration. What it switches off is what
// this node does not use: device mapper, btrfs and zfs are not linked at all.
var configTemplate = template.Must(template.New("config.toml").Parse(`version = 4
root = "{{.Root}}"
state = "{{.State}}"
oom_score = {{.OOMScore}}
disabled_plugins = [
  "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart",
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.erofs", "io.containerd.differ.v1.erofs",
  "io.containerd.mount-handler.v1.erofs", "io.containerd.image-verifier.v1.bindir",
  "io.containerd.metadata.v1.bolt-events", "io.containerd.monitor.task.v1.cgroups",
]

[debug]
  level = "warn"

[plugins."io.containerd.server.v1.grpc"]
  address = "{{.Socket}}"
[plugins."io.containerd.server.v1.ttrpc"]
  address = "{{.Socket}}.ttrpc"

[plugins."io.containerd.shim.v1.manager"]
  socket_dir = "{{.ShimSockets}}"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  stats_collect_period = 60
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{{.Pause}}"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "{{.Registries}}"

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = {{.RestrictOOMScore}}
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  tolerate_missing_hugetlb_controller = true
  ignore_image_defined_volumes = false
  cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{{.CNIBin}}"]
    conf_dir = "{{.CNIConf}}"
    max_conf_num = 1
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      runtime_path = "{{.Shim}}"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        BinaryName = "{{.Runc}}"
        SystemdCgroup = false
        Root = "{{.RuncState}}"
`))

// Config renders the configuration of one node's containerd.
func Config(c *cluster.Cluster, n cluster.Node, programs cluster.Programs, host cluster.Host) ([]byte, error) {
	oomScore := 0
	if host.CanLowerOOMScore {
		oomScore = -999
	}
	var out bytes.Buffer
	err := configTemplate.Execute(&out, map[string]any{
		"Root":             c.NodeDir(n, "containerd"),
		"State":            c.NodeRun(n, "containerd"),
		"Socket":           c.ContainerdSocket(n),
		"ShimSockets":      c.NodeRun(n, "s"),
		"OOMScore":         oomScore,
		"Pause":            PauseImage,
		"Registries":       c.DataDir + "/registries",
		"RestrictOOMScore": !host.CanLowerOOMScore,
		"CNIBin":           programs.CNI(),
		"CNIConf":          c.NodeDir(n, "cni"),
		"Shim":             programs.Shim(),
		"Runc":             programs.Runc(),
		"RuncState":        c.NodeRun(n, "runc"),
	})
	if err != nil {
		return nil, fmt.Errorf("rendering containerd's configuration: %w", err)
	}
	return out.Bytes(), nil
}

// ConfigFile is where Config is written.
func ConfigFile(c *cluster.Cluster, n cluster.Node) string { return c.NodeDir(n, "containerd.toml") }

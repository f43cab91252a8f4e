// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package containerd

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"

	_ "github.com/containerd/containerd/v2/cmd/containerd/builtins" // registers the plugins
	"github.com/containerd/containerd/v2/cmd/containerd/server"
	srvconfig "github.com/containerd/containerd/v2/cmd/containerd/server/config"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/log"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"
)

// Run runs containerd until ctx ends and calls ready once it serves.
// Containers go on running when it ends.
func Run(ctx context.Context, configFile string, ready func() error) error {
	config := &srvconfig.Config{}
	none := func() iter.Seq[plugin.Registration] {
		return slices.Values(registry.Graph(func(*plugin.Registration) bool { return false }))
	}
	if err := srvconfig.LoadConfigWithPlugins(ctx, configFile, none, config); err != nil {
		return fmt.Errorf("reading %s: %w", configFile, err)
	}
	if err := log.SetLevel(config.Debug.Level); err != nil {
		return fmt.Errorf("setting containerd's log level: %w", err)
	}
	if err := prepare(ctx, config); err != nil {
		return err
	}
	srv, err := server.New(ctx, config)
	if err != nil {
		return fmt.Errorf("loading containerd's plugins: %w", err)
	}
	defer srv.Stop()
	if err := srv.Start(ctx); err != nil {
		return fmt.Errorf("starting containerd: %w", err)
	}
	srv.Wait()
	if err := ready(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// prepare makes the directories and removes mounts that a killed containerd left.
func prepare(ctx context.Context, config *srvconfig.Config) error {
	if err := server.CreateTopLevelDirectories(config); err != nil {
		return fmt.Errorf("making containerd's directories: %w", err)
	}
	if err := mount.SetTempMountLocation(filepath.Join(config.Root, "tmpmounts")); err != nil {
		return fmt.Errorf("setting containerd's temporary mounts: %w", err)
	}
	warnings, err := mount.CleanupTempMounts(0)
	if err != nil {
		return fmt.Errorf("removing containerd's temporary mounts: %w", err)
	}
	for _, w := range warnings {
		log.G(ctx).WithError(w).Warn("removing a temporary mount")
	}
	return nil
}

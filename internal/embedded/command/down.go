// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/embedded/boot"
	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/control"
)

func downCommand(dataDir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the cluster and its pods; the data stay",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, c, err := running(*dataDir)
			if err != nil {
				return err
			}
			began := time.Now()
			if err := client.Down(cmd.Context()); err != nil {
				return explain(err, *dataDir)
			}
			if err := awaitUnlocked(cmd.Context(), c); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "stopped in %.1f s; start it again with \"slipway up\", remove it with \"slipway reset\"\n", time.Since(began).Seconds())
			return nil
		},
	}
}

// awaitUnlocked returns when the supervisor has ended and let go of its lock.
func awaitUnlocked(ctx context.Context, c *cluster.Cluster) error {
	f, err := os.Open(c.Lock())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	unlocked := make(chan error, 1)
	go func() {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		unlocked <- errors.Join(err, f.Close()) // let go of it before anybody is told
	}()
	select {
	case err := <-unlocked:
		return err
	case <-ctx.Done():
		return errors.New("interrupted; the cluster goes on stopping")
	}
}

func resetCommand(dataDir *string) *cobra.Command {
	var yes, verbose bool
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Remove the cluster, its data, and all that it changed on this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := filepath.Abs(*dataDir)
			if err != nil {
				return err
			}
			// A description that cannot be read is what a reset is for.
			c := &cluster.Cluster{DataDir: dir, RunDir: cluster.RunDirOf(dir)}
			if !cluster.HasData(dir) {
				if _, err = load(dir); err != nil {
					return err
				}
			}
			if !yes {
				return fmt.Errorf("this removes the cluster in %s with all its data; add --yes to do it", dir)
			}
			err = control.NewClient(c.ControlSocket()).Down(cmd.Context())
			if err == nil {
				err = awaitUnlocked(cmd.Context(), c)
			}
			if err != nil && !errors.Is(err, control.ErrNotRunning) {
				return err
			}
			done, err := boot.Reset(dir, func(what string) {
				if verbose {
					fmt.Fprintln(cmd.OutOrStdout(), what)
				}
			})
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), done)
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "tell of each step")
	return cmd
}

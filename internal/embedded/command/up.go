// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"slipway.dev/slipway/internal/embedded/boot"
	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/control"
	"slipway.dev/slipway/internal/embedded/doctor"
)

func upCommand(dataDir *string) *cobra.Command {
	var shape boot.Shape
	var detach bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster on this machine",
		Long: `Start a cluster on this machine and print each phase of the boot.

In the foreground the cluster runs until Ctrl-C. With --detach the command
returns when the cluster is ready, and "slipway down" ends it. Data stay in the
data directory; the next "up" goes on with them.`,
		Example: `  slipway up
  slipway up --detach --nodes 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := filepath.Abs(*dataDir)
			if err != nil {
				return err
			}
			shape.DataDir = dir
			if detach {
				return upDetached(cmd.Context(), cmd.OutOrStdout(), dir)
			}
			return up(cmd.Context(), cmd.OutOrStdout(), shape)
		},
	}
	cmd.Flags().IntVar(&shape.Nodes, "nodes", 0, "at least so many nodes, on this machine (default 1)")
	cmd.Flags().IntVar(&shape.APIPort, "api-port", 0, fmt.Sprintf("port of the API server (default %d)", boot.DefaultAPIPort))
	cmd.Flags().StringVar(&shape.FrontDoor, "listen", "", "address of the front door (default "+boot.DefaultFrontDoor+")")
	cmd.Flags().BoolVarP(&detach, "detach", "d", false, "return when the cluster is ready and leave it running")
	return cmd
}

func up(ctx context.Context, out io.Writer, shape boot.Shape) error {
	findings := doctor.Examine(shape.DataDir)
	if err := doctor.FirstFatal(findings); err != nil {
		return err
	}
	for _, f := range findings {
		if !f.OK() {
			fmt.Fprintf(out, "note: %s: %s; %s\n", f.Check, f.Detail, f.Fix)
		}
	}
	host := cluster.ThisHost()
	if err := boot.RaiseFileLimit(); err != nil {
		return err
	}
	c, err := boot.LoadOrCreate(shape, host)
	if err != nil {
		return err
	}
	table := newTable(out)
	began := time.Now()
	done := func(p control.Phase) {
		table.show(p)
		if p.Name == "dns" && p.Done && p.Error == "" {
			welcome(out, c, time.Since(began))
		}
	}
	return boot.Run(ctx, c, host, done)
}

func welcome(out io.Writer, c *cluster.Cluster, took time.Duration) {
	fmt.Fprintf(out, `
ready in %.1f s: %d node(s), API server %s, front door http://%s

  export KUBECONFIG=%s
  slipway kubectl get nodes
  slipway status
`, took.Seconds(), len(c.Nodes), c.APIServer(), c.FrontDoor, c.Kubeconfig())
}

// upDetached starts the same command in a session of its own, without --detach
// and under a guard that starts it again should it be killed, and shows its boot.
func upDetached(ctx context.Context, out io.Writer, dataDir string) error {
	if err := os.MkdirAll(filepath.Join(dataDir, "log"), 0o711); err != nil {
		return fmt.Errorf("making the data directory: %w; run it as root", err)
	}
	logFile := filepath.Join(dataDir, "log", "supervisor.log")
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	defer log.Close()
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	programs, err := cluster.FindPrograms()
	if err != nil {
		return err
	}
	cmd := exec.Command(programs.Guard(), append([]string{programs.Self()}, withoutDetach(os.Args[1:])...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the supervisor: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err = follow(ctx, out, log, begin, ended)
	if _, none := os.Stat(cluster.File(dataDir)); err != nil && none != nil {
		removeEmpty(dataDir, logFile)
	}
	return err
}

// removeEmpty takes away what a refused start made: its log, its lock, and the
// directories if nothing else is in them.
func removeEmpty(dataDir, logFile string) {
	for _, path := range []string{logFile, filepath.Dir(logFile), filepath.Join(dataDir, "lock"), dataDir} {
		_ = os.Remove(path)
	}
}

func withoutDetach(args []string) []string {
	var rest []string
	for _, arg := range args {
		if arg != "--detach" && arg != "-d" && arg != "--detach=true" {
			rest = append(rest, arg)
		}
	}
	return rest
}

// endOfBoot is the last line of welcome: the boot's output is over.
const endOfBoot = "  slipway status\n"

// follow copies what the supervisor writes until it is ready or has ended.
func follow(ctx context.Context, out io.Writer, log *os.File, offset int64, ended <-chan error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var written []byte
	for {
		var over error
		finished := false
		select {
		case over = <-ended:
			finished = true
		case <-ticker.C:
		case <-ctx.Done():
			return errors.New("interrupted; the cluster goes on starting, end it with \"slipway down\"")
		}
		chunk, err := io.ReadAll(io.NewSectionReader(log, offset, 1<<20))
		if err != nil {
			return err
		}
		offset += int64(len(chunk))
		written = append(written, chunk...)
		if finished {
			return lastWords(written, over)
		}
		if _, err := out.Write(chunk); err != nil {
			return err
		}
		if len(written) >= len(endOfBoot) && string(written[len(written)-len(endOfBoot):]) == endOfBoot {
			return nil
		}
	}
}

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
	"strings"
	"syscall"
	"time"

	"slipway.dev/slipway/internal/embedded/boot"
	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/control"
)

// upDetached starts the same command in a session of its own, not detached and
// under a guard that starts it again should it be killed, and shows its boot.
func upDetached(ctx context.Context, out io.Writer, shape boot.Shape) error {
	if err := boot.Vacant(shape.DataDir); err != nil {
		return err
	}
	if err := examine(out, shape.DataDir); err != nil {
		return err
	}
	// What the supervisor would refuse is refused before there is a log of it.
	if _, err := boot.LoadOrCreate(shape, cluster.ThisHost()); err != nil {
		return err
	}
	log, err := openLog(shape.DataDir)
	if err != nil {
		return err
	}
	defer log.Close()
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	began := time.Now()
	ended, err := startGuarded(log)
	if err != nil {
		return err
	}
	status, err := showBoot(ctx, out, shape.DataDir, ended)
	if errors.Is(err, errEnded) {
		err = lastWords(log, begin, err)
		if _, none := os.Stat(cluster.File(shape.DataDir)); none != nil {
			removeEmpty(shape.DataDir, log.Name())
		}
	}
	if err != nil {
		return err
	}
	welcome(out, status.Cluster, time.Since(began))
	return nil
}

func openLog(dataDir string) (*os.File, error) {
	path := (&cluster.Cluster{DataDir: dataDir}).Log("supervisor")
	if err := os.MkdirAll(filepath.Dir(path), 0o711); err != nil {
		return nil, fmt.Errorf("making the data directory: %w; choose another with --data-dir", err)
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	return log, nil
}

func startGuarded(log *os.File) (ended <-chan error, err error) {
	programs, err := cluster.FindPrograms()
	if err != nil {
		return nil, err
	}
	// The last flag counts.
	cmd := exec.Command(programs.Guard(), append(append([]string{programs.Self()}, os.Args[1:]...), "--detach=false")...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the supervisor: %w", err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	return over, nil
}

// errEnded says that the supervisor ended before the cluster was ready.
var errEnded = errors.New("the supervisor ended")

// showBoot prints the phases of the boot and returns the status of the cluster
// when it is ready.
func showBoot(ctx context.Context, out io.Writer, dataDir string, ended <-chan error) (*control.Status, error) {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	client := control.NewClient((&cluster.Cluster{RunDir: cluster.RunDirOf(dataDir)}).ControlSocket())
	ready := make(chan *control.Status, 1)
	go awaitReady(watching, client, newTable(out).show, ready)
	select {
	case status := <-ready:
		return status, nil
	case err := <-ended:
		return nil, errors.Join(errEnded, err)
	case <-ctx.Done():
		return nil, errors.New("interrupted; the cluster goes on starting, end it with \"slipway down\"")
	}
}

// awaitReady asks until there is a supervisor, shows its boot, and hands over its
// status once that says ready.
func awaitReady(ctx context.Context, client *control.Client, show func(control.Phase), ready chan<- *control.Status) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for shown := false; ; {
		if !shown {
			shown = client.Watch(ctx, show) == nil
		}
		if shown {
			if status, err := client.Status(ctx); err == nil && status.Ready {
				ready <- status
				return
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// lastWords makes the last error in the supervisor's log that of the command, with
// the lines that it quotes; if there is none, the last line.
func lastWords(log *os.File, begin int64, over error) error {
	written, err := io.ReadAll(io.NewSectionReader(log, begin, 1<<20))
	if err != nil {
		return errors.Join(over, err)
	}
	const prefix = "\nslipway: "
	text := "\n" + strings.TrimSpace(string(written))
	if at := strings.LastIndex(text, prefix); at >= 0 {
		return errors.New(text[at+len(prefix):])
	}
	last := text[strings.LastIndex(text, "\n")+1:]
	if last == "" {
		return over
	}
	return errors.New(last)
}

// removeEmpty takes away what a refused start made: its log, and the directories
// if nothing else is in them.
func removeEmpty(dataDir, logFile string) {
	for _, path := range []string{logFile, filepath.Dir(logFile), dataDir} {
		_ = os.Remove(path)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// patience is how long a server may take to close its connections.
const patience = 15 * time.Second

// Server is an API server that runs.
type Server struct {
	// Config is the administrator's access, without a limit on requests.
	Config *rest.Config

	dir        string // of its data; the server removes it when it ends
	kubeconfig string
	cmd        *exec.Cmd
	log        strings.Builder
}

// Start starts the program slipway-kube as an API server, with more of upstream's
// flags if there are any, and returns when it serves.
func Start(program string, flags ...string) (*Server, error) {
	sweep()
	dir, err := claim()
	if err != nil {
		return nil, err
	}
	defer dir.Close() // The server has it open for as long as it lives.
	args := append([]string{"role", "test-apiserver", "--data-dir", dir.Name(), "--"}, flags...)
	s := &Server{dir: dir.Name(), cmd: exec.Command(program, args...)}
	s.cmd.ExtraFiles = []*os.File{dir}
	s.cmd.Stderr = &s.log
	// A group of its own keeps Ctrl-C, meant for the caller, from ending it first.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		err = errors.Join(err, s.cmd.Wait(), errors.New(lastLines(s.log.String())))
		return nil, fmt.Errorf("starting the API server: %w", err)
	}
	s.kubeconfig = strings.TrimSpace(line)
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	config.QPS, config.Burst = -1, -1
	s.Config = config
	return s, nil
}

// KubeconfigOf is the file of one of the cluster's own users, such as "platform".
func (s *Server) KubeconfigOf(user string) string {
	return filepath.Join(filepath.Dir(s.kubeconfig), user+".kubeconfig")
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(fmt.Errorf("ending the API server: %w", err), os.RemoveAll(s.dir))
	}
	late := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer late.Stop()
	// How it ends does not matter any more: its data goes with it.
	_ = s.cmd.Wait()
	return os.RemoveAll(s.dir)
}

func lastLines(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

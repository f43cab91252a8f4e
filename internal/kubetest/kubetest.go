// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kubetest gives a test a real API server.
//
// It is the embedded one, alone: etcd on a throw-away directory, the schemas
// and roles of Slipway, no nodes and no controllers, ready in a few seconds.
// The tests of one package share it and each takes a namespace of its own. It
// runs as a process of slipway-kube ("make build" makes it), so that a test
// links client libraries only, and ends with the test's process.
package kubetest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// EnvProgram names the program slipway-kube when it is not in build/bin.
const EnvProgram = "SLIPWAY_KUBE"

// start runs once in a process: the server is shared by its tests.
var start = sync.OnceValues(run)

// Start returns the administrator's access to the API server.
func Start(t testing.TB) *rest.Config {
	t.Helper()
	config, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return rest.CopyConfig(config)
}

// Namespace makes a namespace for the test. It is deleted afterwards; since
// nothing runs that would empty it, its name is never used again.
func Namespace(t testing.TB, config *rest.Config) string {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	made, err := client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("making a namespace: %v", err)
	}
	return made.Name
}

func run() (*rest.Config, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "slipway-api-")
	if err != nil {
		return nil, err
	}
	var log strings.Builder
	cmd := exec.Command(program, "role", "test-apiserver", "--data-dir", dir)
	cmd.Stderr = &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("starting the API server: %w", errors.Join(err, cmd.Wait(), errors.New(lastLines(log.String()))))
	}
	config, err := clientcmd.BuildConfigFromFlags("", strings.TrimSpace(line))
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = -1, -1
	return config, nil
}

// find looks for slipway-kube in the build folder of the module.
func find() (string, error) {
	if path := os.Getenv(EnvProgram); path != "" {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			continue
		}
		path := filepath.Join(dir, "build", "bin", "slipway-kube")
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s is missing; make it with \"make build\"", path)
		}
		return path, nil
	}
	return "", errors.New("the test does not run inside the module; name slipway-kube in $" + EnvProgram)
}

func lastLines(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

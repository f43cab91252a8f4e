// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kubetest gives a test a real API server, and what tests of controllers need
// before it.
//
// It is the embedded one, alone, as package apiserver below this one runs it. The
// tests of one package share it and each takes a namespace of its own. It ends
// with the test's process. Nothing else of Kubernetes runs: the test plays kubelets,
// Kubernetes' controllers, and people.
//
//	client.go      clients, and users with no more rights than they are given
//	manager.go     controllers, run until the test ends
//	await.go       the moment at which something holds
//	edit.go        changes as others make them
//	node.go        nodes
//	policies.go    those that a cluster begins with
//	scheduler.go   upstream's scheduler
//	kubeconfig.go  access for programs and commands
//	ending.go      namespaces that are being deleted, for clients in memory
//	told.go        what a recorder in memory was told
package kubetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"slipway.dev/slipway/internal/kubetest/apiserver"
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
	server, err := apiserver.Start(program)
	if err != nil {
		return nil, err
	}
	return server.Config, nil
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

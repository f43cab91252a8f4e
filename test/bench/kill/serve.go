// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway.dev/slipway/test/bench/rig"
)

// The pod that is served runs this very program, with one argument, from the
// machine's disk: no image needs to be built or pulled.
const (
	serveArg = "serve"
	program  = "/kill"
	port     = 8080
	label    = "app"
)

// serve is the program inside the pod: it answers everything with 200.
func serve() int {
	server := &http.Server{
		Addr:              fmt.Sprintf(":%d", port),
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	return 1
}

// staticSelf is the path of this program, which a pod without a C library must
// be able to run.
func staticSelf() (string, error) {
	info, _ := debug.ReadBuildInfo()
	static := debug.BuildSetting{Key: "CGO_ENABLED", Value: "0"}
	if info == nil || !slices.Contains(info.Settings, static) {
		return "", errors.New("this program must be linked statically to run in a pod; build it with CGO_ENABLED=0, as \"make bench-kill\" does")
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding the running program: %w", err)
	}
	return filepath.EvalSymlinks(self)
}

func servingPod(path string) *corev1.Pod {
	pod := rig.Pod("served")
	pod.Labels = map[string]string{label: pod.Name}
	file := corev1.HostPathFile
	pod.Spec.Volumes = []corev1.Volume{{Name: "program", VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: path, Type: &file}}}}
	main := &pod.Spec.Containers[0]
	main.Command = []string{program, serveArg}
	main.VolumeMounts = []corev1.VolumeMount{{Name: "program", MountPath: program, ReadOnly: true}}
	return pod
}

func servingService() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "served"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{label: "served"}, Ports: []corev1.ServicePort{{Port: port}}},
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app/options"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// MetricsServerFlags are the options of the server of metrics.k8s.io, which
// "kubectl top" and horizontal autoscaling ask.
func MetricsServerFlags(c *cluster.Cluster) []string {
	return append(servingFlags(c, "metrics", cluster.PortMetricsServer, "metrics-server"),
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-certificate-authority="+c.PKI("ca.crt"),
		"--metric-resolution=15s",
	)
}

// RunMetricsServer serves metrics.k8s.io until ctx ends. It may be started
// before its roles are there.
func RunMetricsServer(ctx context.Context, kubeconfig string, flags []string) error {
	if err := awaitGrant(ctx, kubeconfig); err != nil || ctx.Err() != nil {
		return err
	}
	o := options.NewOptions()
	if err := parse("metrics-server", o.Flags(), flags); err != nil {
		return err
	}
	config, err := o.ServerConfig()
	if err != nil {
		return fmt.Errorf("configuring the metrics server: %w", err)
	}
	server, err := config.Complete()
	if err != nil {
		return fmt.Errorf("configuring the metrics server: %w", err)
	}
	return server.RunUntil(ctx.Done())
}

// grantInterval is how often the metrics server asks whether its roles are there.
const grantInterval = 200 * time.Millisecond

// awaitGrant returns when the server may read what it must read to begin.
func awaitGrant(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading %s: %w", kubeconfig, err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(grantInterval)
	defer ticker.Stop()
	for {
		_, err := client.CoreV1().ConfigMaps("kube-system").Get(ctx, "extension-apiserver-authentication", metav1.GetOptions{})
		if !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

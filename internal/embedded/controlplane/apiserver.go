// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/component-base/featuregate"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/datastore"
)

// APIServerFlags are the options of the API server of a cluster.
func APIServerFlags(c *cluster.Cluster) []string {
	services := c.ServiceCIDR().String()
	if c.DualStack {
		services += "," + c.ServiceCIDR6().String()
	}
	address := c.NodeIP(c.First()).String()
	return append(commonFlags(c, address),
		"--advertise-address="+address,
		"--service-cluster-ip-range="+services,
		"--enable-admission-plugins=NodeRestriction",
		"--encryption-provider-config="+c.PKI("encryption.yaml"),
		"--audit-log-path="+c.AuditLog(),
		"--audit-policy-file="+c.PKI("audit-policy.yaml"),
		"--audit-log-maxsize=50",
		"--audit-log-maxbackup=5",
		"--audit-log-maxage=30",
		"--audit-log-mode=batch",
		"--kubelet-client-certificate="+c.PKI("apiserver-kubelet-client.crt"),
		"--kubelet-client-key="+c.PKI("apiserver-kubelet-client.key"),
		"--kubelet-certificate-authority="+c.PKI("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file="+c.PKI("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+c.PKI("front-proxy-client.crt"),
		"--proxy-client-key-file="+c.PKI("front-proxy-client.key"),
		"--enable-aggregator-routing=true",
	)
}

// TestAPIServerFlags are the options of an API server alone: no nodes, nobody
// who makes service accounts, and data that may be lost. More of them come last.
func TestAPIServerFlags(c *cluster.Cluster, more []string) []string {
	flags := append(commonFlags(c, "127.0.0.1"),
		"--advertise-address=192.0.2.1", // TEST-NET-1 (RFC 5737); nothing connects to it.
		"--service-cluster-ip-range="+c.ServiceCIDR().String(),
		"--disable-admission-plugins=ServiceAccount",
		"--endpoint-reconciler-type=none",
		// Groups of pods, which clusters may have and ours has not.
		"--feature-gates=GenericWorkload=true",
		"--runtime-config=scheduling.k8s.io/v1beta1=true",
	)
	return append(flags, more...)
}

func commonFlags(c *cluster.Cluster, bind string) []string {
	return []string{
		"--etcd-servers=" + datastore.Endpoint(c),
		"--bind-address=" + bind,
		fmt.Sprintf("--secure-port=%d", c.APIPort),
		"--authorization-mode=Node,RBAC",
		"--anonymous-auth=true", // health checks and discovery of the CA; RBAC grants it nothing else.
		"--allow-privileged=true",
		"--client-ca-file=" + c.PKI("ca.crt"),
		"--tls-cert-file=" + c.PKI("apiserver.crt"),
		"--tls-private-key-file=" + c.PKI("apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.PKI("service-account.key"),
		"--service-account-signing-key-file=" + c.PKI("service-account.key"),
		"--profiling=false",
	}
}

// RunAPIServer runs the API server until ctx ends.
func RunAPIServer(ctx context.Context, flags []string) error {
	s := options.NewServerRunOptions()
	if err := parse("kube-apiserver", s.Flags(), flags); err != nil {
		return err
	}
	registry := s.GenericServerRunOptions.ComponentGlobalsRegistry
	if err := registry.Set(); err != nil {
		return fmt.Errorf("setting feature gates: %w", err)
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	completed, err := s.Complete(ctx)
	if err != nil {
		return fmt.Errorf("completing options of the API server: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return fmt.Errorf("checking options of the API server: %w", utilerrors.NewAggregate(errs))
	}
	if gate, ok := registry.FeatureGateFor(basecompatibility.DefaultKubeComponent).(featuregate.MutableFeatureGate); ok {
		gate.AddMetrics()
	}
	return app.Run(ctx, completed)
}

// readyInterval is how often a starting API server is asked whether it is
// ready. It has no way to tell by itself.
const readyInterval = 20 * time.Millisecond

// AwaitAPIServer returns when the API server of a kubeconfig is ready.
func AwaitAPIServer(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading %s: %w", kubeconfig, err)
	}
	config.Timeout = time.Second
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(readyInterval)
	defer ticker.Stop()
	for {
		var code int
		err := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&code).Error()
		if err == nil && code == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

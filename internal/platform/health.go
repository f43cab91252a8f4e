// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	certutil "k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	healthPath = "/healthz"
	// syncTimeout is how long a health check waits for what is nearly there.
	syncTimeout = time.Second
)

// metrics are served over TLS, for who reads them sends a token of the API
// server's. They name namespaces and models, and every pod reaches the address.
func metrics(address string) metricsserver.Options {
	return metricsserver.Options{
		BindAddress:    address,
		SecureServing:  true,
		TLSOpts:        []func(*tls.Config){selfSigned},
		FilterProvider: newGuard,
	}
}

// selfSigned makes a certificate when somebody first asks for it, as the start
// of a cluster need not wait for one. Components of Kubernetes serve their
// metrics with such certificates too.
func selfSigned(config *tls.Config) {
	certified := sync.OnceValues(func() (*tls.Certificate, error) {
		certificate, key, err := certutil.GenerateSelfSignedCertKey("localhost", nil, nil)
		if err != nil {
			return nil, fmt.Errorf("making a certificate for metrics: %w", err)
		}
		pair, err := tls.X509KeyPair(certificate, key)
		return &pair, err
	})
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certified() }
}

// syncer is a manager's cache.
type syncer interface {
	WaitForCacheSync(ctx context.Context) bool
}

// health is whether the platform knows the cluster: before its caches are filled
// no controller runs and the front door answers nobody.
func health(caches syncer) http.Handler {
	return http.StripPrefix(healthPath, &healthz.Handler{Checks: map[string]healthz.Checker{
		"caches": func(r *http.Request) error {
			ctx, cancel := context.WithTimeout(r.Context(), syncTimeout)
			defer cancel()
			if !caches.WaitForCacheSync(ctx) {
				return errors.New("the caches are not filled yet")
			}
			return nil
		},
	}})
}

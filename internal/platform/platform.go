// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package platform is Slipway's own process: every controller, the scheduler
// and the front door, in one manager with one cache.
//
// It takes a kubeconfig and runs with the rights in api/rbac, never as an
// administrator, and it is the same in an embedded cluster and on somebody
// else's; only who starts it differs.
package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"

	"github.com/go-logr/logr"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/batch"
	"slipway.dev/slipway/internal/frontdoor"
	"slipway.dev/slipway/internal/heap"
	"slipway.dev/slipway/internal/ready"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/serving"
	"slipway.dev/slipway/internal/training"
)

// Options say where the platform works and where it answers.
type Options struct {
	// Kubeconfig of the platform's own user; empty inside a pod.
	Kubeconfig string
	// Listen is the front door's host:port.
	Listen string
	// URL is how clients reach the front door, ending in /v1; empty means Listen.
	URL string
	// HealthListen is the host:port of /metrics and /healthz, over TLS.
	HealthListen string
	// Identity in the election of a leader; empty means the host's name. No two platforms
	// of a cluster may have the same.
	Identity string
}

// Run runs the platform until ctx ends.
func Run(ctx context.Context, o Options) error {
	ready.Inherit()
	heap.Adapt()
	log := logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, nil))
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	mgr, lock, err := newManager(o)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("listening for the front door: %w; choose another address with --listen", err)
	}
	if o.URL == "" {
		o.URL = "http://" + listener.Addr().String() + "/v1"
	}
	if err := setup(mgr, lock, listener, o); err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	lock.deposed = func() { end(errDeposed) }
	if err := mgr.Start(ctx); err != nil {
		return err
	}
	if errors.Is(context.Cause(ctx), errDeposed) {
		return errDeposed
	}
	return nil
}

// setup names everything that the platform consists of.
func setup(mgr ctrl.Manager, lock *lock, listener net.Listener, o Options) error {
	mgr = newFrugal(mgr)
	return errors.Join(
		scheduler.Setup(mgr),
		training.Setup(mgr),
		batch.Setup(mgr),
		serving.Setup(mgr, o.URL),
		frontdoor.Setup(mgr, listener),
		mgr.AddMetricsServerExtraHandler(healthPath, health(mgr.GetCache())),
		mgr.Add(announcer{mgr.GetCache(), mgr.Elected(), lock.follows}),
	)
}

func newManager(o Options) (ctrl.Manager, *lock, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.Kubeconfig)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	// The API server's own fairness limits requests; a second limit here would
	// only slow large jobs down.
	config.QPS = -1
	// The API server is near. Squeezing each change that is watched costs both of us
	// more than it saves.
	config.DisableCompression = true
	scheme, err := Scheme()
	if err != nil {
		return nil, nil, err
	}
	options := ctrl.Options{
		Scheme: scheme,
		// Nobody here reads managed fields, and they are half of a pod's memory.
		Cache:                  cache.Options{DefaultTransform: scheduler.Slim(cache.TransformStripManagedFields()), ByObject: held()},
		Metrics:                metrics(o.HealthListen),
		HealthProbeBindAddress: "0",
	}
	lock, err := elect(config, o, &options)
	if err != nil {
		return nil, nil, err
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return fence{next, lock} })
	mgr, err := ctrl.NewManager(config, options)
	if err != nil {
		return nil, nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return mgr, lock, nil
}

// held joins what each room says that the cache needs to hold of a kind.
func held() map[client.Object]cache.ByObject {
	all := serving.Cache()
	maps.Copy(all, frontdoor.Cache())
	return all
}

// Scheme knows the kinds of Kubernetes, ours, and other people's that we run.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(clientgoscheme.AddToScheme(scheme), slipwayv1.AddToScheme(scheme), kubeflowv1.AddToScheme(scheme))
}

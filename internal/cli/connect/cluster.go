// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-logr/logr"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Cluster is a cluster that commands talk to. Its client opens no connection
// before the first request.
type Cluster struct {
	client.Client
	// Config of the connection, for watches.
	Config *rest.Config
	// Pods gives logs, which Client cannot.
	Pods typedcorev1.PodsGetter
	// Namespace that names without one belong to.
	Namespace string
}

// NewScheme knows Kubernetes' kinds, ours, and those of the training operator.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(
		clientgoscheme.AddToScheme(scheme), slipwayv1.AddToScheme(scheme), kubeflowv1.AddToScheme(scheme))
}

// Open finds the cluster. Warnings that its API server sends go to warnings.
func (f *Flags) Open(warnings io.Writer) (*Cluster, error) {
	silenceLibraries()
	loader, err := f.clientConfig()
	if err != nil {
		return nil, err
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, f.explainConfig(err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, f.explainConfig(err)
	}
	config.UserAgent = "slipway"
	config.QPS = -1 // one person's commands; the API server has its own limits
	// JSON for every kind: what a command reads is small, and what it sends can
	// be read in a trace.
	config.ContentType = runtime.ContentTypeJSON
	config.WarningHandler = rest.NewWarningWriter(warnings, rest.WarningWriterOptions{Deduplicate: true})
	return open(config, namespace)
}

func open(config *rest.Config, namespace string) (*Cluster, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	pods, err := typedcorev1.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Cluster{Client: c, Config: config, Pods: pods, Namespace: namespace}, nil
}

// Bulk is a client for lists of a whole cluster: Kubernetes' own kinds come in protobuf,
// which takes a fraction of the time to decode.
func (c *Cluster) Bulk() (client.Reader, error) {
	config := rest.CopyConfig(c.Config)
	config.ContentType = ""
	return client.New(config, client.Options{Scheme: c.Scheme(), Mapper: c.RESTMapper()})
}

// silenceLibraries: what libraries log is reported by the command in its own
// words, or is nothing to a person at a terminal.
func silenceLibraries() {
	klog.SetLogger(logr.Discard())
	ctrl.SetLogger(logr.Discard())
}

func (f *Flags) explainConfig(err error) error {
	if !clientcmd.IsEmptyConfig(err) || f.Context != "" {
		return fmt.Errorf("reading the kubeconfig: %w; repair it, or name another with --kubeconfig or --context", err)
	}
	if _, there := os.Stat(rootDataDir); there == nil && os.Geteuid() != 0 {
		return fmt.Errorf("there is no cluster of yours; the one in %s belongs to root: use sudo, or start your own with: slipway up", rootDataDir)
	}
	return errors.New("there is no cluster to talk to; start one with: slipway up, or name a kubeconfig with --kubeconfig")
}

// Create makes an object. A typed object keeps its kind, which decoding the
// answer takes away.
func Create(ctx context.Context, c client.Client, object client.Object, options ...client.CreateOption) error {
	kind := object.GetObjectKind().GroupVersionKind()
	defer func() { object.GetObjectKind().SetGroupVersionKind(kind) }()
	return c.Create(ctx, object, options...)
}

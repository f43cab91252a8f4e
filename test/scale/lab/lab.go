// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest/apiserver"
	"slipway.dev/slipway/test/scale/fakenode"
)

// Lab is one cluster. What goes wrong in the background ends the context that
// Open returns, with the cause.
type Lab struct {
	// Client is the administrator's, without a cache and without a limit.
	Client client.Client

	programs string // the folder
	dir      string // of logs
	server   *apiserver.Server
	rest     rest.Interface

	kubelets *fakenode.Kubelets
	backlog  *backlog
	running  *process // nil for none
	usage    Usage

	mu      sync.Mutex
	batches map[string]*Batch // by namespace

	fail context.CancelCauseFunc
	work sync.WaitGroup
}

// Open a cluster with so many nodes, made of the programs in a folder, as "make
// build" leaves them; flags are more of the API server's. The platform is not
// started. Close must be called.
func Open(ctx context.Context, programs string, nodes int, flags ...string) (context.Context, *Lab, error) {
	server, err := apiserver.Start(filepath.Join(programs, "slipway-kube"), flags...)
	if err != nil {
		return ctx, nil, err
	}
	l := &Lab{programs: programs, server: server, batches: map[string]*Batch{}}
	ctx, l.fail = context.WithCancelCause(ctx)
	if err := l.open(ctx, nodes); err != nil {
		return ctx, nil, errors.Join(err, l.Close())
	}
	return ctx, l, nil
}

func (l *Lab) open(ctx context.Context, nodes int) error {
	var err error
	if l.dir, err = os.MkdirTemp("", "slipway-scale-"); err != nil {
		return err
	}
	kinds, err := scheme()
	if err != nil {
		return err
	}
	if l.Client, err = client.New(l.server.Config, client.Options{Scheme: kinds}); err != nil {
		return err
	}
	asked, err := discovery.NewDiscoveryClientForConfig(l.server.Config)
	if err != nil {
		return err
	}
	l.rest = asked.RESTClient()
	for _, o := range []client.Object{home(), grant()} {
		if err := l.Client.Create(ctx, o); err != nil {
			return fmt.Errorf("giving the platform its role: %w", err)
		}
	}
	if err := l.applyPolicies(ctx); err != nil {
		return err
	}
	l.kubelets = fakenode.NewKubelets(l.Client, l.fail)
	l.backlog = newBacklog(l.fail)
	l.work.Go(func() { l.kubelets.Run(ctx) })
	l.work.Go(func() { l.backlog.run(ctx) })
	if err := l.watch(ctx, kinds); err != nil {
		return err
	}
	return Each(ctx, nodes, func(ctx context.Context, i int) error { return fakenode.Register(ctx, l.Client, i) })
}

func scheme() (*runtime.Scheme, error) {
	kinds := runtime.NewScheme()
	return kinds, errors.Join(clientgoscheme.AddToScheme(kinds), slipwayv1.AddToScheme(kinds), kubeflowv1.AddToScheme(kinds))
}

// home is the namespace in which platforms elect their leader.
func home() *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "slipway-system"}}
}

// grant binds the platform's role to its user, as an embedded cluster does.
func grant() *rbacv1.ClusterRoleBinding {
	const name = "slipway:platform"
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
	}
}

// Close ends everything and removes what it left.
func (l *Lab) Close() error {
	l.fail(errors.New("the lab is closed"))
	err := l.KillPlatform()
	l.work.Wait()
	return errors.Join(err, l.server.Stop(), os.RemoveAll(l.dir))
}

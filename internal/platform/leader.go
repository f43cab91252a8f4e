// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"

	"slipway.dev/slipway/internal/ready"
)

// Of several platforms of a cluster one leads: it alone decides and writes. The others
// serve the front door and metrics, and one of them follows when the leader is not heard
// of for leaseDuration. A leader that cannot renew its lease for renewDeadline ends, and
// writes nothing from then on (fence.go). The times are longer than those of Kubernetes'
// components, because the front door ends with it, and an API server that is started anew
// should not cut answers off.
const (
	leaseName     = "slipway-platform"
	leaseDuration = 30 * time.Second
	renewDeadline = 20 * time.Second
	retryPeriod   = 3 * time.Second

	// homeNamespace is where the platform lives outside a pod.
	homeNamespace = "slipway-system"
	// podNamespace is the file that names the namespace of a pod.
	podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// rules are what the election needs. A name cannot be given for what is yet to be made.
func rules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		{APIGroups: []string{coordinationv1.GroupName}, Resources: []string{"leases"}, ResourceNames: []string{leaseName}, Verbs: []string{"get", "update"}},
		{APIGroups: []string{coordinationv1.GroupName}, Resources: []string{"leases"}, Verbs: []string{"create"}},
	}
}

// elect has the manager elect a leader by a Lease. The identity is that of the host, or of
// the pod, and not of the process: a successor there takes the place of its predecessor
// at once, which has ended when it starts.
func elect(config *rest.Config, o Options, options *ctrl.Options) (*lock, error) {
	namespace, err := home()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("naming the platform in the election of a leader: %w; give it a name with --identity", err)
	}
	identity := resourcelock.ResourceLockConfig{Identity: cmp.Or(o.Identity, host)}
	lease, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, leaseName, identity, config, renewDeadline)
	if err != nil {
		return nil, fmt.Errorf("setting up the election of a leader: %w", err)
	}
	l := &lock{Interface: lease, follows: make(chan struct{})}
	duration, deadline, retry := leaseDuration, renewDeadline, retryPeriod
	options.LeaderElection, options.LeaderElectionResourceLockInterface = true, l
	options.LeaderElectionID, options.LeaderElectionNamespace = leaseName, namespace
	options.LeaseDuration, options.RenewDeadline, options.RetryPeriod = &duration, &deadline, &retry
	// The process ends with its manager: whoever is stopped lets another one lead at once.
	options.LeaderElectionReleaseOnCancel = true
	return l, nil
}

// home is the namespace of the platform.
func home() (string, error) {
	text, err := os.ReadFile(podNamespace)
	if errors.Is(err, fs.ErrNotExist) {
		return homeNamespace, nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the namespace of the pod: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// announcer tells the supervisor that the platform serves: that it knows the cluster, and
// leads or knows who does.
type announcer struct {
	caches  syncer
	leads   <-chan struct{}
	follows <-chan struct{}
}

// NeedLeaderElection: followers serve, too.
func (announcer) NeedLeaderElection() bool { return false }

// Start returns when it is said.
func (a announcer) Start(ctx context.Context) error {
	select {
	case <-a.leads:
	case <-a.follows:
	case <-ctx.Done():
		return nil
	}
	if !a.caches.WaitForCacheSync(ctx) {
		return nil
	}
	return ready.Notify()
}

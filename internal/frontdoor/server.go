// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

const (
	// headerTimeout is how long a client may take to send a header.
	headerTimeout = 10 * time.Second
	// keepAlive is how long a connection may wait for its next request.
	keepAlive = 2 * time.Minute
	// maxHeader in bytes.
	maxHeader = 64 << 10
	// drain is how long answers under way may take when the process stops. A
	// manager waits 30 s for everything in it.
	drain = 25 * time.Second
)

// Setup adds the front door to the manager, whose scheme must know the kinds of
// api/v1alpha1 and of Kubernetes. It answers on the listener, which it closes,
// whether this process leads or not.
func Setup(mgr ctrl.Manager, listener net.Listener) error {
	door, err := New(mgr.GetClient(), metrics.Registry, Options{})
	if err != nil {
		return err
	}
	synced, err := door.watch(context.Background(), mgr.GetCache())
	if err != nil {
		return err
	}
	return mgr.Add(&server{handler: door, listener: listener, synced: synced, log: mgr.GetLogger().WithName("frontdoor"), drain: drain})
}

// server is a manager's runnable.
type server struct {
	handler  http.Handler
	listener net.Listener
	synced   []toolscache.InformerSynced
	log      logr.Logger
	drain    time.Duration
}

// NeedLeaderElection: each process answers.
func (s *server) NeedLeaderElection() bool { return false }

// Start answers until the context is done; then it takes no new connection and
// waits for the answers that are under way. Before the watches have told
// everything it lets clients wait, rather than deny that their models exist.
func (s *server) Start(ctx context.Context) error {
	defer s.listener.Close()
	if !toolscache.WaitForCacheSync(ctx.Done(), s.synced...) {
		return nil
	}
	web := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       keepAlive,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(logr.ToSlogHandler(s.log), slog.LevelError),
	}
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { drained <- s.stop(web) })
	err := web.Serve(s.listener)
	if stop() {
		return fmt.Errorf("serving the front door: %w", err)
	}
	return <-drained
}

// stop waits for the answers under way and then cuts off those that are left.
func (s *server) stop(web *http.Server) error {
	patience, cancel := context.WithTimeout(context.Background(), s.drain)
	defer cancel()
	err := web.Shutdown(patience)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Info("cutting off answers that did not end in time", "waited", s.drain)
		err = web.Close()
	}
	if err != nil {
		return fmt.Errorf("stopping the front door: %w", err)
	}
	return nil
}

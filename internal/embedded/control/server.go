// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Serve answers on the socket until ctx ends.
func Serve(ctx context.Context, socket string, s Supervisor) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
		return fmt.Errorf("making %s: %w", filepath.Dir(socket), err)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing a stale socket: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", socket, err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return fmt.Errorf("closing %s to others: %w", socket, err)
	}
	server := &http.Server{Handler: handler(s)}
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		// Whoever asked for the end shall have the answer.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(last)
		_ = server.Close()
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", socket, err)
	}
	<-closed
	return nil
}

func handler(s Supervisor) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Status()) })
	mux.HandleFunc("GET /watch", func(w http.ResponseWriter, r *http.Request) { stream(w, r, s.Watch()) })
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) { s.Down(); w.WriteHeader(http.StatusAccepted) })
	mux.HandleFunc("GET /nodes", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Nodes()) })
	for pattern, do := range map[string]func(string) error{
		"POST /nodes/{name}":      s.AddNode,
		"DELETE /nodes/{name}":    s.RemoveNode,
		"POST /nodes/{name}/kill": s.KillNode,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := do(r.PathValue("name")); err != nil {
				http.Error(w, err.Error(), http.StatusConflict)
			}
		})
	}
	return mux
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func stream(w http.ResponseWriter, r *http.Request, phases <-chan Phase) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	encoder := json.NewEncoder(w)
	for {
		select {
		case phase, open := <-phases:
			if !open || encoder.Encode(phase) != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

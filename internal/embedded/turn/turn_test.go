// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package turn

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
)

func TestOneAfterTheOther(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock")
	first, err := Take(t.Context(), lock)
	if err != nil {
		t.Fatal(err)
	}
	ended := errors.New("ended")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ended)
	if _, err := Take(ctx, lock); !errors.Is(err, ended) {
		t.Errorf("a second turn beside the first: %v, want %v", err, ended)
	}
	taken := make(chan error, 1)
	go func() {
		second, err := Take(t.Context(), lock)
		if err == nil {
			err = second.Close()
		}
		taken <- err
	}()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Error(err)
	}
}

func TestListener(t *testing.T) {
	dir := t.TempDir()
	other, err := net.Listen("unix", filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	socket := filepath.Join(dir, "socket")
	if isListening(socket) {
		t.Error("listens before there is a listener")
	}
	heard := make(chan struct{})
	go func() {
		AwaitListener(t.Context(), socket)
		close(heard)
	}()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	<-heard
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if isListening(socket) {
		t.Error("listens after its listener was closed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	AwaitListener(ctx, socket)
}

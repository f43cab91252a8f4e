// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// ErrNotRunning says that nothing listens on the socket.
var ErrNotRunning = errors.New("no cluster is running")

// Client talks to a supervisor.
type Client struct{ http *http.Client }

// NewClient returns a client of the supervisor that listens on the socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &Client{&http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Status asks for the status.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	var s Status
	return &s, c.get(ctx, "/status", &s)
}

// Nodes lists the nodes.
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	var nodes []Node
	return nodes, c.get(ctx, "/nodes", &nodes)
}

// Down asks the supervisor to end.
func (c *Client) Down(ctx context.Context) error { return c.do(ctx, http.MethodPost, "/down") }

// AddNode adds a node, or starts one that was killed, and returns when it is ready.
func (c *Client) AddNode(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPost, "/nodes/"+url.PathEscape(name))
}

// RemoveNode removes a node and what it holds.
func (c *Client) RemoveNode(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/nodes/"+url.PathEscape(name))
}

// KillNode kills a node as a power failure would.
func (c *Client) KillNode(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPost, "/nodes/"+url.PathEscape(name)+"/kill")
}

// Watch calls observe for each phase of the boot, until it is over.
func (c *Client) Watch(ctx context.Context, observe func(Phase)) error {
	response, err := c.request(ctx, http.MethodGet, "/watch")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	for {
		var phase Phase
		if err := decoder.Decode(&phase); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("following the boot: %w", err)
		}
		observe(phase)
	}
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	response, err := c.request(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

func (c *Client) do(ctx context.Context, method, path string) error {
	response, err := c.request(ctx, method, path)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func (c *Client) request(ctx context.Context, method, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNotRunning
	}
	if err != nil {
		return nil, fmt.Errorf("asking the supervisor: %w", err)
	}
	if response.StatusCode >= 300 {
		defer response.Body.Close()
		message, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		return nil, errors.New(strings.TrimSpace(string(message)))
	}
	return response, nil
}

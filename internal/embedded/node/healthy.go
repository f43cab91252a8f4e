// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// AwaitHealthy returns when the kubelet and the service proxy of a node both say
// that they are well.
func AwaitHealthy(ctx context.Context, c *cluster.Cluster, n cluster.Node) error {
	for _, port := range []int{cluster.PortKubeletHealth, cluster.PortProxyHealth} {
		if err := awaitOK(ctx, fmt.Sprintf("http://%s:%d/healthz", c.NodeIP(n), port)); err != nil {
			return err
		}
	}
	return nil
}

func awaitOK(ctx context.Context, url string) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ask(ctx, client, url)
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

func ask(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

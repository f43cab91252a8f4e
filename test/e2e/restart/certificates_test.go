// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package restart

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/pki"
	"slipway.dev/slipway/test/e2e/rig"
)

// envSlow runs what takes a quarter of an hour.
const envSlow = "SLIPWAY_E2E_SLOW"

// TestCertificates holds that certificates are renewed when they are due, while
// everything runs, and served without a restart. It gives a stopped cluster
// certificates that are nearly at their end.
//
// With SLIPWAY_E2E_SLOW=1 it also waits until those it began with have expired,
// and holds that nothing and nobody still depends on them. Clients look for new
// certificates every five minutes, so these must live for a quarter of an hour.
func TestCertificates(t *testing.T) {
	slow := os.Getenv(envSlow) != ""
	c := rig.Start(t)
	c.Namespace(t, space)
	c.OK(t, "down")
	// Issue dates a certificate five minutes back, and it is due after two
	// thirds: (5 min + 3 min) * 2/3 is 20 s from now, (5 + 12) * 2/3 is 6 min 20 s.
	life := 3 * time.Minute
	if slow {
		life = 12 * time.Minute
	}
	begin := age(t, c, life)
	c.Up(t)
	before := serving(t, c)
	pids := pidsOf(t, c)
	for _, served := range before {
		if served.NotAfter.After(begin.Add(life + time.Minute)) {
			t.Fatalf("%s is served a certificate until %s; it was to be near its end", served.Subject, served.NotAfter)
		}
	}

	t.Logf("renewed after %.0f s", eventuallyRenewed(t, c, begin).Seconds())
	rig.Eventually(t, "the new certificates are served", func(context.Context) error {
		for address, served := range serving(t, c) {
			if served.Equal(before[address]) {
				return fmt.Errorf("%s still serves the old one", address)
			}
		}
		return nil
	})
	if now := pidsOf(t, c); now != pids {
		t.Errorf("processes were restarted: %s, then %s", pids, now)
	}
	if slow {
		outlive(t, begin.Add(life+10*time.Second))
		// Every process takes part in this, as a client of the API server.
		c.Create(t, space, rig.Server("afterwards"))
		c.OK(t, "kubectl", "top", "nodes")
		if now := pidsOf(t, c); now != pids {
			t.Errorf("processes were restarted: %s, then %s", pids, now)
		}
	} else {
		t.Logf("that nothing depends on expired certificates is not tested; it takes a quarter of an hour, and %s=1", envSlow)
	}
}

// age issues every certificate of a stopped cluster anew, with little time left.
func age(t *testing.T, c *rig.Cluster, life time.Duration) time.Time {
	t.Helper()
	description, err := cluster.Load(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, leaf := range pki.Leaves(description) {
		authority := "ca"
		if leaf.Authority != "" {
			authority = leaf.Authority
		}
		a, err := pki.LoadOrCreateAuthority(description.PKI(""), authority)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Issue(description.PKI(""), leaf, now, life); err != nil {
			t.Fatal(err)
		}
	}
	return now
}

// eventuallyRenewed waits until no certificate is due within a month.
func eventuallyRenewed(t *testing.T, c *rig.Cluster, begin time.Time) time.Duration {
	t.Helper()
	description, err := cluster.Load(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	outlive(t, pki.NextRenewal(description))
	rig.Eventually(t, "the certificates are renewed", func(context.Context) error {
		if due := pki.NextRenewal(description); time.Until(due) < 30*24*time.Hour {
			return fmt.Errorf("one is due at %s", due)
		}
		return nil
	})
	return time.Since(begin)
}

// outlive returns when a moment has come.
func outlive(t *testing.T, moment time.Time) {
	t.Helper()
	select {
	case <-time.After(time.Until(moment)):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

// serving are the certificates that the API server and the kubelet show now.
func serving(t *testing.T, c *rig.Cluster) map[string]*x509.Certificate {
	t.Helper()
	status, err := c.Status(t)
	if err != nil {
		t.Fatal(err)
	}
	kubelet := status.Cluster.NodeIP(status.Cluster.First()).String() + ":10250"
	shown := map[string]*x509.Certificate{}
	for _, address := range []string{strings.TrimPrefix(status.Cluster.APIServer(), "https://"), kubelet} {
		connection, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(errors.Join(fmt.Errorf("connecting to %s", address), err))
		}
		shown[address] = connection.ConnectionState().PeerCertificates[0]
		_ = connection.Close()
	}
	return shown
}

// pidsOf the cluster's processes, in one line.
func pidsOf(t *testing.T, c *rig.Cluster) string {
	t.Helper()
	status, err := c.Status(t)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range status.Processes {
		all = append(all, fmt.Sprintf("%s %d", p.Name, p.PID))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

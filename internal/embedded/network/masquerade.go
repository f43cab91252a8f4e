// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"

	"sigs.k8s.io/knftables"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/journal"
)

// TableOf is the name of the table that translates what leaves the cluster.
func TableOf(c *cluster.Cluster) string { return "slipway-" + c.ID }

// Masquerade gives packets that leave the cluster the machine's address. One
// static rule for each family does; nothing changes with a pod. It can be
// repeated.
func Masquerade(c *cluster.Cluster, j *journal.Journal) error {
	if err := recordTables(c, j); err != nil {
		return err
	}
	nft, err := knftables.New(knftables.InetFamily, TableOf(c))
	if err != nil {
		return fmt.Errorf("using nftables: %w", err)
	}
	tx := nft.NewTransaction()
	tx.Add(&knftables.Table{Comment: knftables.PtrTo("traffic that leaves a slipway cluster")})
	chain := &knftables.Chain{Name: "postrouting", Type: knftables.PtrTo(knftables.NATType),
		Hook: knftables.PtrTo(knftables.PostroutingHook), Priority: knftables.PtrTo(knftables.SNATPriority)}
	tx.Add(chain)
	tx.Flush(chain)
	var v4, v6 []netip.Prefix
	for _, p := range c.Prefixes() {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	addMasquerade(tx, chain.Name, "ip", v4)
	addMasquerade(tx, chain.Name, "ip6", v6)
	if err := nft.Run(context.Background(), tx); err != nil {
		return fmt.Errorf("adding the nftables table %s: %w", TableOf(c), err)
	}
	return nil
}

// recordTables writes the tables that this process and others will make to the
// journal, apart from those that are there: they may be somebody else's, since
// upstream's components give theirs one name on every machine.
func recordTables(c *cluster.Cluster, j *journal.Journal) error {
	present, err := exec.Command("nft", "list", "tables").Output()
	if err != nil {
		return fmt.Errorf("listing nftables tables: %w", err)
	}
	for _, table := range []struct{ family, name string }{
		{"inet", TableOf(c)}, {"inet", "slipway-policy"},
		{"ip", "kube-proxy"}, {"ip6", "kube-proxy"},
		{"ip", "cni_hostport"}, {"ip6", "cni_hostport"},
	} {
		if strings.Contains(string(present), "table "+table.family+" "+table.name+"\n") {
			continue
		}
		if err := j.Record(journal.Entry{Kind: journal.Table, Name: table.name, Value: table.family}); err != nil {
			return err
		}
	}
	return nil
}

func addMasquerade(tx *knftables.Transaction, chain, family string, cluster []netip.Prefix) {
	if len(cluster) == 0 {
		return
	}
	var set []string
	for _, p := range cluster {
		set = append(set, p.String())
	}
	inside := "{ " + strings.Join(set, ", ") + " }"
	tx.Add(&knftables.Rule{Chain: chain, Rule: knftables.Concat(family, "saddr", inside, family, "daddr", "!=", inside, "masquerade fully-random")})
}

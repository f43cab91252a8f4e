// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"sigs.k8s.io/knftables"

	"slipway.dev/slipway/internal/embedded/journal"
)

// Undo undoes a change to links, namespaces, tables, kernel parameters or shared
// directories. What is not there, or no longer, is no error.
func Undo(e journal.Entry) error {
	switch e.Kind {
	case journal.Link:
		return removeLink(e.Name)
	case journal.Netns:
		if err := netns.DeleteNamed(e.Name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing network namespace %s: %w", e.Name, err)
		}
	case journal.Table:
		return removeTable(knftables.Family(e.Value), e.Name)
	case journal.Sysctl:
		return restore(e)
	case journal.Dir:
		return removeShared(e.Name)
	}
	return nil
}

// restore writes a kernel parameter's former value, if it changed: some may be
// read but not written in a network namespace.
func restore(e journal.Entry) error {
	now, err := os.ReadFile(e.Name)
	if errors.Is(err, os.ErrNotExist) || string(now) == e.Value {
		return nil
	}
	if err := os.WriteFile(e.Name, []byte(e.Value), 0o644); err != nil {
		return fmt.Errorf("restoring %s: %w", e.Name, err)
	}
	return nil
}

func removeLink(name string) error {
	link, err := netlink.LinkByName(name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finding link %s: %w", name, err)
	}
	if err := netlink.LinkDel(link); err != nil {
		return fmt.Errorf("removing link %s: %w", name, err)
	}
	return nil
}

func removeTable(family knftables.Family, name string) error {
	nft, err := knftables.New(family, name)
	if err != nil {
		return fmt.Errorf("using nftables: %w", err)
	}
	tx := nft.NewTransaction()
	// Adding first makes deleting a missing table no error.
	tx.Add(&knftables.Table{})
	tx.Delete(&knftables.Table{})
	if err := nft.Run(context.Background(), tx); err != nil {
		return fmt.Errorf("removing the nftables table %s: %w", name, err)
	}
	return nil
}

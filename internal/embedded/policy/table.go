// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"sigs.k8s.io/knftables"
)

// Open makes the interface to the table that Run and Cleanup need. It fails if
// the nft program or the kernel's part of it is missing.
func Open() (knftables.Interface, error) {
	nft, err := knftables.New(knftables.InetFamily, tableName)
	if err != nil {
		return nil, fmt.Errorf("opening nftables table %q: %w (network policies need root, the package nftables and a kernel with nf_tables and IPv6 built in or as modules)", tableName, err)
	}
	return nft, nil
}

// Cleanup deletes the table. It is no error if there is none.
func Cleanup(ctx context.Context, nft knftables.Interface) error {
	tx := nft.NewTransaction()
	tx.Delete(&knftables.Table{})
	if err := nft.Run(ctx, tx); err != nil && !knftables.IsNotFound(err) {
		return fmt.Errorf("deleting nftables table %q: %w", tableName, err)
	}
	return nil
}

// table remembers what it has put into the kernel.
type table struct {
	nft     knftables.Interface
	applied *ruleset // nil if not known
	retired []string // chains that are empty, unused and still there
}

// apply makes the kernel hold next, in one transaction. After an error what the
// kernel holds is not known, and the next call writes all of it anew.
func (t *table) apply(ctx context.Context, next ruleset) error {
	tx, retired := t.nft.NewTransaction(), []string(nil)
	if t.applied == nil {
		next.replace(tx)
	} else {
		retired = next.update(tx, *t.applied)
		retired = append(retired, t.unused(next)...)
	}
	if tx.NumOperations() > 0 {
		if err := t.nft.Run(ctx, tx); err != nil {
			t.applied, t.retired = nil, nil
			return fmt.Errorf("writing nftables table %q: %w", tableName, err)
		}
	}
	t.applied, t.retired = &next, retired
	t.sweep(ctx)
	return nil
}

// unused is the retired chains that next has not taken into use again.
func (t *table) unused(next ruleset) []string {
	return slices.DeleteFunc(t.retired, func(name string) bool {
		_, used := next.chains[name]
		return used
	})
}

// sweep deletes retired chains, not in the transaction that retires them: before
// Linux 6.2 the kernel holds a chain for used for a moment after the element of
// a verdict map that led to it is gone. What it refuses now is tried again after
// the next change; empty chains that nothing leads to do no harm until then.
func (t *table) sweep(ctx context.Context) {
	if len(t.retired) == 0 {
		return
	}
	tx := t.nft.NewTransaction()
	for _, name := range t.retired {
		tx.Delete(&knftables.Chain{Name: name})
	}
	if t.nft.Run(ctx, tx) == nil {
		t.retired = nil
	}
}

// replace writes the ruleset over whatever the table holds.
func (r ruleset) replace(tx *knftables.Transaction) {
	tx.Add(&knftables.Table{})
	tx.Delete(&knftables.Table{})
	tx.Add(&knftables.Table{Comment: comment("Kubernetes NetworkPolicy, kept by slipway")})
	r.update(tx, newRuleset())
}

// update writes what differs from before, and returns the chains that it has
// emptied because they are no longer needed. The order matters: rules may only
// name chains and sets that exist, and those still named cannot be deleted.
func (r ruleset) update(tx *knftables.Transaction, before ruleset) []string {
	r.declare(tx, before)
	for _, name := range sorted(r.chains) {
		if !slices.Equal(r.chains[name].rules, before.chains[name].rules) {
			r.refill(tx, name)
		}
	}
	for _, name := range sorted(r.sets) {
		r.sets[name].update(tx, name, before.sets[name].elements)
	}
	var retired []string
	for _, name := range sorted(before.chains) {
		if _, kept := r.chains[name]; !kept {
			tx.Flush(&knftables.Chain{Name: name})
			retired = append(retired, name)
		}
	}
	for _, name := range sorted(before.sets) {
		if _, kept := r.sets[name]; !kept {
			tx.Delete(before.sets[name].object(name))
		}
	}
	return retired
}

// declare adds the chains and sets that are new, without their contents.
func (r ruleset) declare(tx *knftables.Transaction, before ruleset) {
	for _, name := range sorted(r.sets) {
		if _, exists := before.sets[name]; !exists {
			tx.Add(r.sets[name].object(name))
		}
	}
	for _, name := range sorted(r.chains) {
		if _, exists := before.chains[name]; !exists {
			tx.Add(r.chains[name].object(name))
		}
	}
}

func (r ruleset) refill(tx *knftables.Transaction, name string) {
	tx.Flush(&knftables.Chain{Name: name})
	for _, text := range r.chains[name].rules {
		tx.Add(&knftables.Rule{Chain: name, Rule: text})
	}
}

func (c chain) object(name string) *knftables.Chain {
	object := &knftables.Chain{Name: name}
	if c.comment != "" {
		object.Comment = comment(c.comment)
	}
	if c.priority != "" {
		object.Type = new(knftables.FilterType)
		object.Hook = new(knftables.ForwardHook)
		object.Priority = new(c.priority)
	}
	return object
}

func (s set) object(name string) knftables.Object {
	if s.isMap() {
		return &knftables.Map{Name: name, Type: s.kind, Comment: comment(s.comment)}
	}
	return &knftables.Set{Name: name, Type: s.kind, Comment: comment(s.comment)}
}

func sorted[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

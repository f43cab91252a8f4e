// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"slices"
	"time"

	"slipway.dev/slipway/internal/placement"

	"k8s.io/apimachinery/pkg/types"
)

// Loan is what a gang that runs has on recall.
type Loan struct {
	// From are the gangs for which its places are kept; none where nothing is lent to it.
	From []types.NamespacedName
	// Back is by when it gives way at the latest; zero while none of those is promised a start.
	Back time.Time
}

// Loan to a gang.
func (d *Decided) Loan(name types.NamespacedName) Loan {
	var loan Loan
	for _, key := range d.Picture.LentBy(keyOf(name.Namespace, name.Name)) {
		loan.From = append(loan.From, nameOfKey(groupOf(key)))
		start, promised := d.Picture.PlannedStart(key)
		if back := time.Unix(start.At-placement.RecallNotice, 0); promised && (loan.Back.IsZero() || back.Before(loan.Back)) {
			loan.Back = back
		}
	}
	if kept := d.Protected(name); !loan.Back.IsZero() && kept.After(loan.Back) {
		loan.Back = kept
	}
	return loan
}

// LentTo are the gangs on places that are kept for another one.
func (d *Decided) LentTo(name types.NamespacedName) []types.NamespacedName {
	var all []types.NamespacedName
	for key, e := range d.ledger.gangs {
		lenders := d.Picture.LentBy(key)
		if slices.ContainsFunc(lenders, func(lender string) bool { return nameOfKey(groupOf(lender)) == name }) {
			all = append(all, e.name)
		}
	}
	slices.SortFunc(all, func(a, b types.NamespacedName) int { return cmp.Compare(a.String(), b.String()) })
	return all
}

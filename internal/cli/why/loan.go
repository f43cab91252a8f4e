// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import "k8s.io/apimachinery/pkg/types"

// onRecall says for whom the places of a gang that runs are kept, and when it gives them back.
func (f *Facts) onRecall(o *outline, name types.NamespacedName) {
	loan := f.Decided.Loan(name)
	if len(loan.From) == 0 {
		return
	}
	text := "on places that are kept for " + list(f.named(loan.From, name.Namespace)) + ": gives way as soon as "
	if len(loan.From) == 1 {
		text += "that can start"
	} else {
		text += "one of them can start"
	}
	if !loan.Back.IsZero() {
		text += ", by " + f.moment(loan.Back) + " at the latest"
	}
	o.say("%s", text)
}

// leaves says until when a gang is on a node: until its limit, or until one can start for which
// its places are kept.
func (f *Facts) leaves(name types.NamespacedName) string {
	loan, ends := f.Decided.Loan(name), f.Decided.Ends(name)
	if len(loan.From) > 0 && !loan.Back.IsZero() && (ends.IsZero() || loan.Back.Before(ends)) {
		ends = loan.Back
	}
	until := ""
	if ends.After(f.Now) {
		until = ", until " + f.moment(ends)
	}
	if len(loan.From) == 0 {
		return until
	}
	if until != "" {
		until += " at the latest, or"
	} else {
		until = ","
	}
	who := loan.From[0].String()
	if len(loan.From) > 1 {
		who = "one of " + list(f.named(loan.From, ""))
	}
	return until + " until " + who + " can start"
}

// lent names the gangs on the places that were promised to another one.
func (f *Facts) lent(o *outline, name types.NamespacedName) {
	if on := f.Decided.LentTo(name); len(on) > 0 {
		o.say("its places are lent to %s until then", list(f.named(on, name.Namespace)))
	}
}

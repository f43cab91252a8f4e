// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package why explains one object: why it waits, or where it runs, when that ends, and
// what it would give way to.
//
// [Find] looks the object up, by kind and name or by a name alone, [Gather] what is known
// about it, and [Facts.Report] puts that into words: a pure function. The words are the
// scheduler's own, from package scheduler, which decides here once more on the cluster as
// it is. Who may not see the whole cluster is told what the conditions of the gangs say.
package why

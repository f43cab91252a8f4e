// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scheduler gives gangs their nodes. It tells package placement of nodes,
// of pods that are bound (by whichever scheduler) and of gangs, and writes each
// answer once into the status of the Gang; the controllers of the workloads make
// the pods.
//
// Pods that name this scheduler (grouping.go) are bound by it, those of a Gang to its
// places. Those without one are gangs of their own, singly or by the group that they
// name (group.go), in the ledger alone: what must survive is in the pods. One that waits
// says why in its condition PodScheduled, and one that gives way is deleted.
//
// Three controllers share a ledger. The decider hears of every change, waits a
// moment for more of them, and decides on all gangs at once, in one goroutine. The
// writer brings the status of one gang at a time up to date with the last
// answer, several gangs in parallel, those first that got or lost places, and alone
// tries again when that fails. The binder does the same for pods (bind.go).
//
// All that must survive a restart is in the API server: the first decision comes
// after every node, pod and gang has been seen, and gangs that are placed keep
// their places. A status is written against the version of the gang that was
// last seen, so that of two schedulers, one of which does not know yet that it
// no longer leads, only one succeeds. For whom a gang gave way is in its status, and
// for pods without a Gang in an annotation of theirs, while they are ending: so nobody
// gives way twice for the same, and where a scheduler died when it had written some of several
// that give way to one, the next has the others do so, too. Who is given a place is told of it
// when the status of the one before no longer has it (vacate.go), and a group whose pods began
// to go goes whole (remains.go): a scheduler may die after any of its writes (crash_test.go).
//
// A node that does not answer is lost to a gang at once unless the gang's pods
// tolerate node.kubernetes.io/unreachable or not-ready, and then when their
// tolerationSeconds are over. The five minutes that Kubernetes adds to pods that
// tolerate neither do not count for a training job: it computes nothing while it lacks
// a rank. They do for pods that Kubernetes' controllers make again, no earlier than that:
// pods without a Gang have them, and package batch writes them into the Gang of a Job.
//
// A gang that waits costs nothing while the cluster does not change. While it
// does, why gangs wait is worded anew for a bounded number of them a second;
// decisions are never held back by that.
//
// What the ledger is told of can be taken out of it, or out of the API server, as a
// value (package snapshot). [Decide] gives such a value to a ledger of its own: that
// is how "slipway why" and a replay of /debug/scheduler come to the same answers.
//
// What pods mean by selectors, affinity, tolerations, host ports and topology spread
// constraints is what Kubernetes means; test/conformance/filters compares, and names
// the differences.
//
// # Limits
//
// What pods that are there already prefer to have beside them is not looked at when
// another comes. An affinity cannot be about labels that differ from
// pod to pod of a set, such as the rank. Of resource claims package devices counts whole
// devices, and says which it does not. Whoever deletes a Gang that gave way while its
// pods are ending deletes what a restart would know it by.
package scheduler

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package placement decides which node every pod of a gang runs on, or says in
// people's words why it cannot run. It is a pure function with a memory: no
// clock, no I/O, no goroutine, and the same inputs give the same answers.
//
// A [Picture] is the cluster as far as the decision needs it. It is told of
// changes and never rebuilt: nodes ([Picture.SetNode], [Picture.DeleteNode]),
// pods that are bound, whoever bound them ([Picture.Bind], [Picture.Unbind]),
// gangs ([Picture.SetGang], [Picture.DeleteGang]) and the queues that they belong
// to ([Picture.SetQueue], [Picture.DeleteQueue]). The order in which it is told
// does not matter. [Picture.Elapse] tells the time. [Picture.Decide] then answers
// with a [Verdict] for each gang whose answer is another than before.
// [Picture.Evict] says who must give way, and [Picture.Plan] when those who wait
// will start; both cost more, and are asked now and again.
//
// # Rules
//
// A gang is placed whole or not at all, in the order of a contest (contest.go):
// repairs first, then the queue that is owed, that has the higher priority or the least
// share, then the gang's priority, then age. Whole is all that it cannot do without:
// what is optional comes when everybody has had a chance to start (grow.go), is not
// replaced before that, and is given up before anybody gives way whole. A gang that does
// not fit does not hold up those behind it, so that one wish that cannot be granted does
// not stop the cluster; but the first of those that wait are promised their places for the
// moment at which they will be free, and nobody who starts before them delays that (plan.go,
// keep.go), but who takes what it is guaranteed, or goes first by its priority within its
// queue: a promise to a gang that is within its queue's guarantee when it starts is delayed by
// no gang of another queue, and one to a gang that borrows only by those that are within
// theirs, or that have waited for very long (owed.go). It is then made anew, and the gang is
// told why (late.go). Otherwise it stands while others are made anew around it (stand.go).
// What is idle until a promise is due is lent meanwhile, on recall (lend.go).
// Limits of queues are never exceeded (limit.go). What a queue is guaranteed it takes back
// from those that borrowed it (right.go, evict.go). A gang that has waited for very long takes
// the places of those that came after it and overtook it, as far as they are guaranteed
// to nobody; for one that has waited for longer still the others move as well, if there
// are places for them elsewhere (elder.go, move.go): so that skipping who does not fit
// starves nobody. What a gang that lost a place holds is idle, and not kept for it for ever
// (idle.go). Whom the protection of others keeps waiting is told until when (shelter.go).
// Those who ask others to give way take turns (asking.go), each beside what promises need once
// those are gone (forgo.go); a short run that comes between is moved up (advance.go). What was
// given up for one is kept for it (clearance.go), in the very places that were found for it then
// (room.go); what a restart cut off of that is completed (resume.go). Who would have to give way
// as soon as others ask starts when they have asked (holdback.go). Who then gives way itself asks
// again only after a pause, so that no circle of rights goes on for ever (feud.go).
//
// Within a gang the pod set with the least choice goes first. A set goes to nodes
// that it prefers, then to those without devices that it does not ask for, then
// to those that are partly used, so that whole nodes stay free for large gangs;
// among these to the node that holds all of the rest with the least to spare, or
// else to the one that holds most; or, if it is to be spread, pod by pod to the emptiest
// one. With a topology it goes to the tightest domain that holds it (level.go, route.go);
// where no preferred one does, to as few as possible within the next level above that
// does. Slices of it, so many consecutive ranks, are within one domain each (slice.go).
//
// Pods that must be near to others, apart from others, or evenly divided among domains
// are so as Kubernetes means it: with regard to pods that are bound, to places that
// gangs have, to the gang's own pods as they get theirs, and to who wants to be apart
// from them (peers.go, marks.go, ties.go, neighbours.go). Whom they only prefer to be
// beside, or not, orders the nodes that will do (sway.go). All this is looked at when a
// place is given, not afterwards, and not planned with: what is kept for a promise is room.
// Of sets of a gang that must be near to one another the one that others lean on goes
// first, wherever it fits best by itself.
//
// A node is lost to a gang when it is deleted, or has a NoExecute taint that the
// gang does not tolerate, or no longer. Only the pods there are placed again. Where
// other schedulers' pods take what a gang has reserved, only its ranks that have
// no pod on that node lose their places. A gang that grows keeps running while
// the pods that were added wait.
//
// What a gang reserves and what its pods that are bound already ask for is the
// same thing and counts once, resource by resource the greater of the two. Pods
// that are left over when their gang is gone count until they are gone, too.
//
// # Speed
//
// Pod sets that ask for the same share a class, which remembers how many of its
// pods every node holds and looks again only at nodes that changed. Those that hold
// the same share a rung of its ladder (ladder.go), so that to find the best one costs
// the same in a small and in a large cluster; with a topology each node is looked at
// once. Where classes are tied to other pods, each of their rules counts these by
// node and domain, by differences, too (tally.go); a place taken in a domain of several nodes costs
// a look at every node. Gangs of the same shape are answered once in a pass, and one that did not
// fit is not tried again until something was freed: a pass before that looks at those
// alone that came since. Those of a user that are alike wait in a row (rows.go). A row whose
// limit is used up is not looked at, nor is who stands behind one without hope, so that a
// pass costs the same whether a hundred wait or ten thousand. Who holds places, or is about
// to leave some, is known without a search (holders.go), and a plan looks no further ahead
// than the moment that it looks for (absent.go).
package placement

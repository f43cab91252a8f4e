// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package policy enforces Kubernetes NetworkPolicy (networking.k8s.io/v1) on
// one node, in nftables.
//
// Every node runs one agent in its network namespace. The agent watches
// namespaces, pods and policies, and keeps the table inet slipway-policy equal
// to what they ask for. It enforces egress of its own pods and ingress to its
// own pods; the other end of a connection is the business of the other node.
//
// # From objects to packets
//
// compile turns all objects into a ruleset, a plain value; it does no I/O.
// table brings the kernel from the ruleset applied last to the next one in one
// transaction that carries only what differs, so that a pod that comes or goes
// costs a few set elements. Run connects the two.
//
// Two base chains, egress and then ingress, hook into forward. All traffic of
// pods is routed, so forward sees every packet between pods, and sees it after
// the service proxy has put the address of a pod in place of that of a Service.
// Each base chain
//
//   - accepts replies and whatever belongs to an accepted connection,
//   - accepts what a pod sends to itself, as through a Service that picks it,
//   - drops what belongs to a new pod that is not known yet (see below),
//   - looks the pod's address up in a verdict map. A pod that no policy selects
//     is not in the map and passes. The others go to a chain that stands for
//     the set of policies that select them: it calls one chain per policy, each
//     of which accepts what its policy allows, and then drops.
//
// Pods that a selector picks are sets of addresses, shared by all policies that
// use the selector. A named port is a set of (address, port), because pods may
// give one name to different ports.
//
// What a node itself sends to its pods, such as the probes of its kubelet, and
// what they send to it, does not pass forward and is always allowed, as the API
// demands. Pods in the host's network are not subject to policies and are
// matched by address blocks only.
//
// # What is not promised
//
// Policies decide over connections when they begin. A connection that is open
// when a policy forbids it stays open, which the API permits. This includes UDP
// flows until they have been idle for the time-out of conntrack.
//
// Traffic other than TCP, UDP and SCTP is allowed by rules without ports and
// otherwise dropped for isolated pods; the API leaves it open.
//
// A change takes effect once the API server has sent it and a transaction has
// run: tens of milliseconds on a small cluster. For a new pod this is not
// enough, because the kubelet reports its address only when it next looks at what
// the runtime has started, about a second after the containers. With Config.PodCIDRs set the
// agent fails closed: as long as a pod of this node that some policy isolates
// has no address, addresses of this node that belong to no known pod are cut
// off, in the direction that is isolated. Other pods that start at that moment
// on that node wait too, until their own address is reported. What remains open
// is the time between the kubelet's seeing a pod and the agent's seeing it, both
// by a watch, while the kubelet still has a sandbox to create. Without PodCIDRs,
// a new pod is unprotected until its address is known. The kubelet of a node
// should be started after the agent has called Config.Ready.
//
// Policies go by addresses, so others must keep these honest: traffic between
// pods of different nodes must not be masqueraded, or its sender is a node; and
// a pod with NET_RAW can forge the address it sends from unless the network
// checks it, for which rp_filter on the pods' links is enough.
//
// The table outlives the agent: while it is stopped, the last state is enforced.
// If another program empties the ruleset (nft flush ruleset, or a restart of
// nftables.service), policies are not enforced until the next change that this
// node must apply, which finds the table gone and restores all of it.
package policy

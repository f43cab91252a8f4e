// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// input is all that a ruleset depends on.
type input struct {
	node       string
	families   []family
	podCIDRs   []netip.Prefix // where the addresses of this node's pods come from
	namespaces []*corev1.Namespace
	pods       []*corev1.Pod
	policies   []*networkingv1.NetworkPolicy
}

// compiler collects the ruleset of one input.
type compiler struct {
	input
	cluster  cluster
	policies map[string][]policy // by namespace
	out      ruleset
}

// compile decides what the table of a node holds. It has no other effect, and
// the order of the objects does not matter.
func compile(in input) ruleset {
	c := &compiler{
		input:    in,
		cluster:  newCluster(in),
		policies: readPolicies(in.policies),
		out:      newRuleset(),
	}
	c.localPods()
	for _, d := range []direction{egress, ingress} {
		c.isolate(d)
		c.hold(d)
		c.base(d)
	}
	return c.out
}

// localPods makes the sets that tell apart the pods of this node.
func (c *compiler) localPods() {
	known, self := map[family][]element{}, map[family][]element{}
	for _, e := range c.cluster.local {
		for _, a := range e.addresses {
			known[a.family] = append(known[a.family], element{key: a.text})
			self[a.family] = append(self[a.family], element{key: a.text + " . " + a.text})
		}
	}
	for _, f := range c.families {
		c.out.add(knownSet(f), set{kind: f.address(), comment: "pods of this node", elements: known[f]})
		c.out.add(selfSet(f), set{kind: f.address() + " . " + f.address(), comment: "pods of this node to themselves", elements: self[f]})
	}
}

// base is the chain that the kernel enters; doc.go explains the order.
func (c *compiler) base(d direction) {
	rules := []string{"ct state established,related accept"}
	for _, f := range c.families {
		rules = append(rules, words(f, "saddr .", f, "daddr @"+selfSet(f), "accept"))
	}
	rules = append(rules, "jump "+holdChain(d))
	for _, f := range c.families {
		rules = append(rules, words(f, d.pod(), "vmap @"+isolatedMap(d, f)))
	}
	c.out.chains[string(d)] = chain{priority: d.priority(), rules: rules}
}

// isolate sends the pods that policies select to the chain of these policies.
func (c *compiler) isolate(d direction) {
	isolated := map[family][]element{}
	for _, e := range c.cluster.local {
		selecting := c.selecting(d, e)
		if len(selecting) == 0 {
			continue
		}
		verdict := "goto " + c.group(d, selecting)
		for _, a := range e.addresses {
			isolated[a.family] = append(isolated[a.family], element{a.text, verdict})
		}
	}
	for _, f := range c.families {
		c.out.add(isolatedMap(d, f), set{
			kind:     f.address() + " : verdict",
			comment:  "pods that policies isolate, by address",
			elements: isolated[f],
		})
	}
}

// hold cuts off addresses of this node that belong to no known pod while there
// is an isolated pod whose address is not known yet.
func (c *compiler) hold(d direction) {
	held := chain{comment: "new pods whose address is not known yet"}
	if slices.ContainsFunc(c.cluster.pending, func(e *endpoint) bool { return len(c.selecting(d, e)) > 0 }) {
		for _, cidr := range c.podCIDRs {
			if f := familyOf(cidr.Addr()); slices.Contains(c.families, f) {
				held.rules = append(held.rules, words(f, d.pod(), cidr.Masked(), f, d.pod(), "!= @"+knownSet(f), "counter drop"))
			}
		}
	}
	c.out.chains[holdChain(d)] = held
}

func knownSet(f family) string { return "known-" + string(f) }

func selfSet(f family) string { return "self-" + string(f) }

func isolatedMap(d direction, f family) string { return string(d) + "-isolated-" + string(f) }

func holdChain(d direction) string { return string(d) + "-hold" }

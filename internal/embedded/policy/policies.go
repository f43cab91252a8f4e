// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/knftables"
)

// policy is a NetworkPolicy with its selector parsed.
type policy struct {
	*networkingv1.NetworkPolicy
	pods labels.Selector
}

// readPolicies groups policies by namespace, sorted by name. One whose selector
// cannot be read selects nothing; the API server stores no such selector.
func readPolicies(objects []*networkingv1.NetworkPolicy) map[string][]policy {
	byNamespace := map[string][]policy{}
	for _, object := range objects {
		selector, err := metav1.LabelSelectorAsSelector(&object.Spec.PodSelector)
		if err != nil {
			continue
		}
		byNamespace[object.Namespace] = append(byNamespace[object.Namespace], policy{object, selector})
	}
	for _, policies := range byNamespace {
		slices.SortFunc(policies, func(a, b policy) int { return cmp.Compare(a.Name, b.Name) })
	}
	return byNamespace
}

// selecting finds the policies that isolate a pod in a direction.
func (c *compiler) selecting(d direction, e *endpoint) []policy {
	var found []policy
	for _, p := range c.policies[e.namespace] {
		if d.isolates(&p.Spec) && p.pods.Matches(e.labels) {
			found = append(found, p)
		}
	}
	return found
}

// group makes the chain for pods that these policies select: what none of them
// accepts is dropped. Dropped rather than refused, so that a connection made
// before a set has caught up with a new pod succeeds when it is tried again.
func (c *compiler) group(d direction, policies []policy) string {
	members := []string{policies[0].Namespace}
	for _, p := range policies {
		members = append(members, p.Name)
	}
	name := string(d) + "-group-" + digest(members...)
	if _, made := c.out.chains[name]; made {
		return name
	}
	var rules []string
	for _, p := range policies {
		if called := c.policy(d, p); called != "" {
			rules = append(rules, "jump "+called)
		}
	}
	c.out.chains[name] = chain{comment: strings.Join(members, " "), rules: append(rules, "counter drop")}
	return name
}

// policy makes the chain that accepts what a policy allows and returns its name,
// or nothing if it allows nothing.
func (c *compiler) policy(d direction, p policy) string {
	name := policyChainName(d, p.Namespace, p.Name)
	if _, made := c.out.chains[name]; made {
		return name
	}
	var rules []string
	for _, r := range d.rules(&p.Spec) {
		rules = append(rules, c.allow(d, p.Namespace, r)...)
	}
	if len(rules) == 0 {
		return ""
	}
	c.out.chains[name] = chain{comment: "NetworkPolicy " + p.Namespace + "/" + p.Name, rules: rules}
	return name
}

// allow writes one rule of a policy: each of its peers with each of its ports.
func (c *compiler) allow(d direction, namespace string, r rule) []string {
	ports := c.ports(d, r.ports)
	var rules []string
	for _, peer := range c.peers(d, namespace, r.peers) {
		for _, port := range ports {
			if both, ok := peer.and(port); ok {
				rules = append(rules, words(both.text, "accept"))
			}
		}
	}
	return rules
}

// match is a condition in a rule. One without a family holds for all of them;
// one without text always holds.
type match struct {
	family family
	text   string
}

// and fails if no packet can meet both conditions.
func (m match) and(other match) (match, bool) {
	if m.family != "" && other.family != "" && m.family != other.family {
		return match{}, false
	}
	return match{cmp.Or(m.family, other.family), words(m.text, other.text)}, true
}

// words joins what is not empty by spaces.
func words(parts ...any) string {
	return strings.TrimSpace(knftables.Concat(parts...))
}

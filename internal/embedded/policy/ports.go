// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// portRange is inclusive at both ends.
type portRange struct {
	first, last int32
}

// ports writes the conditions of which one must hold for the destination port.
// No ports in a policy means any, of any protocol; ports of which none can match
// mean none.
func (c *compiler) ports(d direction, ports []networkingv1.NetworkPolicyPort) []match {
	if len(ports) == 0 {
		return []match{{}}
	}
	var named []match
	ranges := map[string][]portRange{}
	for _, port := range ports {
		protocol := portProtocol(port)
		if port.Port != nil && port.Port.Type == intstr.String {
			named = append(named, c.namedPort(d, protocol, port.Port.StrVal)...)
		} else {
			ranges[protocol] = append(ranges[protocol], portNumbers(port))
		}
	}
	var matches []match
	for _, protocol := range []string{"tcp", "udp", "sctp"} {
		if merged := merge(ranges[protocol]); len(merged) > 0 {
			matches = append(matches, match{text: numbers(protocol, merged)})
		}
	}
	return append(matches, named...)
}

func portProtocol(port networkingv1.NetworkPolicyPort) string {
	if port.Protocol == nil {
		return protocolName("")
	}
	return protocolName(*port.Protocol)
}

func portNumbers(port networkingv1.NetworkPolicyPort) portRange {
	switch {
	case port.Port == nil:
		return portRange{0, 65535}
	case port.EndPort == nil:
		return portRange{port.Port.IntVal, port.Port.IntVal}
	default:
		return portRange{port.Port.IntVal, *port.EndPort}
	}
}

// merge makes ranges disjoint, as a set demands, and drops empty ones.
func merge(ranges []portRange) []portRange {
	slices.SortFunc(ranges, func(a, b portRange) int { return int(a.first - b.first) })
	var merged []portRange
	for _, r := range ranges {
		switch last := len(merged) - 1; {
		case r.last < r.first:
		case last >= 0 && r.first <= merged[last].last+1:
			merged[last].last = max(merged[last].last, r.last)
		default:
			merged = append(merged, r)
		}
	}
	return merged
}

func numbers(protocol string, ranges []portRange) string {
	if ranges[0] == (portRange{0, 65535}) {
		return "meta l4proto " + protocol
	}
	var texts []string
	for _, r := range ranges {
		if r.first == r.last {
			texts = append(texts, fmt.Sprint(r.first))
		} else {
			texts = append(texts, fmt.Sprintf("%d-%d", r.first, r.last))
		}
	}
	return protocol + " dport { " + strings.Join(texts, ", ") + " }"
}

// namedPort matches the port that each destination pod gives the name to. It
// need not ask which pods a policy selects or which peers it names: the chain
// that it stands in and the condition beside it do.
func (c *compiler) namedPort(d direction, protocol, port string) []match {
	if !slices.Contains([]string{"tcp", "udp", "sctp"}, protocol) {
		return nil
	}
	name := string(d) + "-port-" + digest(protocol, port)
	if _, made := c.out.sets[name+"-"+string(c.families[0])]; !made {
		c.namedPortSets(d, name, protocol, port)
	}
	var matches []match
	for _, f := range c.families {
		matches = append(matches, match{f, words(f, "daddr .", protocol, "dport", "@"+name+"-"+string(f))})
	}
	return matches
}

// namedPortSets makes the set of each family. Ingress can only concern pods of
// this node; egress goes anywhere.
func (c *compiler) namedPortSets(d direction, name, protocol, port string) {
	elements := map[family][]element{}
	for _, endpoints := range c.cluster.byNamespace {
		for _, e := range endpoints {
			if d == egress || e.local {
				e.addPort(elements, protocol, port)
			}
		}
	}
	for _, f := range c.families {
		c.out.add(name+"-"+string(f), set{
			kind:     f.address() + " . inet_service",
			comment:  protocol + " port named " + port,
			elements: elements[f],
		})
	}
}

func (e *endpoint) addPort(elements map[family][]element, protocol, name string) {
	for _, p := range e.ports {
		if p.name != name || p.protocol != protocol {
			continue
		}
		for _, a := range e.addresses {
			elements[a.family] = append(elements[a.family], element{key: a.text + " . " + p.number})
		}
	}
}

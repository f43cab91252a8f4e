// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/knftables"
)

// packet is the first one of a connection, unless it is established, as the
// forward hook sees it.
type packet struct {
	src, dst    netip.Addr
	protocol    string
	port        int // destination port
	established bool
}

func (p packet) String() string {
	return fmt.Sprintf("%s %s -> %s port %d", p.protocol, p.src, p.dst, p.port)
}

// machine runs packets through a ruleset. It reads the text that is given to nft,
// and knows of nft's language as much as this package writes.
type machine struct {
	t     testing.TB
	rules ruleset
}

// verdict of a chain: empty means that it returns to its caller.
type verdict string

// accepts runs the base chains in the order of their priorities: each of them
// must let the packet pass.
func (m machine) accepts(p packet) bool {
	var bases []string
	for name, c := range m.rules.chains {
		if c.priority != "" {
			bases = append(bases, name)
		}
	}
	slices.SortFunc(bases, func(a, b string) int { return cmp.Compare(m.priority(a), m.priority(b)) })
	for _, name := range bases {
		if m.chain(name, p) == "drop" {
			return false
		}
	}
	return true
}

func (m machine) priority(name string) int {
	number, err := knftables.ParsePriority(knftables.InetFamily, string(m.rules.chains[name].priority))
	if err != nil {
		m.t.Fatal(err)
	}
	return number
}

func (m machine) chain(name string, p packet) verdict {
	c, ok := m.rules.chains[name]
	if !ok {
		m.t.Fatalf("chain %q is named but not there", name)
	}
	for _, text := range c.rules {
		if v, done := m.rule(text, p); done {
			return v
		}
	}
	return ""
}

// rule is done if it ends its chain.
func (m machine) rule(text string, p packet) (verdict, bool) {
	rest := strings.Fields(text)
	for len(rest) > 0 {
		switch rest[0] {
		case "accept", "drop":
			return verdict(rest[0]), true
		case "counter":
			rest = rest[1:]
		case "jump":
			v := m.chain(rest[1], p)
			return v, v != ""
		case "goto":
			return m.chain(rest[1], p), true
		default:
			key, ok, after := m.key(rest, p)
			if len(after) > 0 && after[0] == "vmap" {
				return m.lookup(after[1], key, ok, p)
			}
			var holds bool
			holds, rest = m.condition(key, after)
			if !ok || !holds {
				return "", false
			}
		}
	}
	m.t.Fatalf("rule %q has no verdict", text)
	return "", false
}

// key reads fields joined by dots. It is not ok if the packet lacks one of them.
func (m machine) key(rest []string, p packet) (key string, ok bool, after []string) {
	ok = true
	var parts []string
	for {
		value, has := m.field(rest[0]+" "+rest[1], p)
		parts, ok, rest = append(parts, value), ok && has, rest[2:]
		if len(rest) == 0 || rest[0] != "." {
			return strings.Join(parts, " . "), ok, rest
		}
		rest = rest[1:]
	}
}

func (m machine) field(name string, p packet) (string, bool) {
	switch name {
	case "ip saddr":
		return p.src.String(), p.src.Is4()
	case "ip daddr":
		return p.dst.String(), p.dst.Is4()
	case "ip6 saddr":
		return p.src.String(), p.src.Is6()
	case "ip6 daddr":
		return p.dst.String(), p.dst.Is6()
	case "tcp dport", "udp dport", "sctp dport":
		return strconv.Itoa(p.port), p.protocol == strings.Fields(name)[0]
	case "meta l4proto":
		return p.protocol, true
	case "ct state":
		if p.established {
			return "established", true
		}
		return "new", true
	}
	m.t.Fatalf("unknown field %q", name)
	return "", false
}

// condition compares with a set, a list in braces, or one value.
func (m machine) condition(key string, rest []string) (holds bool, after []string) {
	negated := rest[0] == "!="
	if negated {
		rest = rest[1:]
	}
	switch {
	case strings.HasPrefix(rest[0], "@"):
		_, holds = m.element(rest[0], key)
		rest = rest[1:]
	case rest[0] == "{":
		end := slices.Index(rest, "}")
		holds = slices.ContainsFunc(rest[1:end], func(item string) bool {
			return m.equal(key, strings.TrimSuffix(item, ","))
		})
		rest = rest[end+1:]
	default:
		holds = slices.ContainsFunc(strings.Split(rest[0], ","), func(item string) bool { return m.equal(key, item) })
		rest = rest[1:]
	}
	return holds != negated, rest
}

// equal knows prefixes and ranges of ports.
func (m machine) equal(key, item string) bool {
	if prefix, err := netip.ParsePrefix(item); err == nil {
		addr, err := netip.ParseAddr(key)
		return err == nil && prefix.Contains(addr)
	}
	first, last, isRange := strings.Cut(item, "-")
	if !isRange {
		return key == item
	}
	var numbers [3]int
	for i, text := range []string{first, key, last} {
		number, err := strconv.Atoi(text)
		if err != nil {
			m.t.Fatalf("%q is no range of ports", item)
		}
		numbers[i] = number
	}
	return numbers[0] <= numbers[1] && numbers[1] <= numbers[2]
}

func (m machine) lookup(name, key string, ok bool, p packet) (verdict, bool) {
	found, in := m.element(name, key)
	if !ok || !in {
		return "", false
	}
	return m.rule(found.verdict, p)
}

func (m machine) element(name, key string) (element, bool) {
	s, ok := m.rules.sets[strings.TrimPrefix(name, "@")]
	if !ok {
		m.t.Fatalf("set %q is named but not there", name)
	}
	i, found := slices.BinarySearchFunc(s.elements, key, func(e element, key string) int { return cmp.Compare(e.key, key) })
	if !found {
		return element{}, false
	}
	return s.elements[i], true
}

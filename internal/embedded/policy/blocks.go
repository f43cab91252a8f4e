// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	netutils "k8s.io/utils/net"
)

// block matches addresses. One with a part that cannot be read matches nothing,
// so that a lost exception does not open what it excepts.
func (c *compiler) block(d direction, block *networkingv1.IPBlock) []match {
	cidr, ok := parsePrefix(block.CIDR)
	if !ok || !slices.Contains(c.families, familyOf(cidr.Addr())) {
		return nil
	}
	var except []netip.Prefix
	for _, text := range block.Except {
		e, ok := parsePrefix(text)
		if !ok {
			return nil
		}
		except = append(except, e)
	}
	f := familyOf(cidr.Addr())
	text := words(f, d.peer(), cidr)
	if except = outermost(f, except); len(except) > 0 {
		text = words(text, f, d.peer(), "!= {", joined(except), "}")
	}
	return []match{{f, text}}
}

// parsePrefix reads what older API servers have accepted too: bits of the host
// and leading zeros.
func parsePrefix(text string) (netip.Prefix, bool) {
	_, network, err := netutils.ParseCIDRSloppy(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	addr, ok := netip.AddrFromSlice(network.IP)
	ones, _ := network.Mask.Size()
	return netip.PrefixFrom(addr, ones), ok
}

// outermost drops prefixes that lie in others, which nft may refuse in one set,
// and those of the other family, which except nothing.
func outermost(f family, prefixes []netip.Prefix) []netip.Prefix {
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int {
		if a.Bits() != b.Bits() {
			return a.Bits() - b.Bits()
		}
		return a.Addr().Compare(b.Addr())
	})
	var kept []netip.Prefix
	for _, p := range prefixes {
		inside := slices.ContainsFunc(kept, func(k netip.Prefix) bool { return k.Overlaps(p) })
		if !inside && familyOf(p.Addr()) == f {
			kept = append(kept, p)
		}
	}
	return kept
}

func joined(prefixes []netip.Prefix) string {
	var texts []string
	for _, p := range prefixes {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ", ")
}

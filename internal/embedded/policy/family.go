// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
)

// family is an address family under the name of its header in nft.
type family string

const (
	ipv4 family = "ip"
	ipv6 family = "ip6"
)

// address is the nft type of the family's addresses.
func (f family) address() string {
	if f == ipv6 {
		return "ipv6_addr"
	}
	return "ipv4_addr"
}

func familyOf(addr netip.Addr) family {
	if addr.Is4() {
		return ipv4
	}
	return ipv6
}

// families defaults to both: rules for a family that the host lacks never match.
func families(wanted []corev1.IPFamily) []family {
	if len(wanted) == 0 {
		return []family{ipv4, ipv6}
	}
	var found []family
	for _, w := range wanted {
		if w == corev1.IPv6Protocol {
			found = append(found, ipv6)
		} else {
			found = append(found, ipv4)
		}
	}
	return found
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"testing"
)

func TestIsolation(t *testing.T) {
	for _, test := range []compileCase{
		{
			name:    "without policies everything passes",
			in:      cast(),
			allowed: []packet{send(web, db, "tcp", 80), send(far6, web6, "sctp", 1), send(outside, db, "icmp", 0)},
		},
		{
			name: "an empty selector and no rules deny all that comes in",
			in:   cast(newPolicy("shop/deny", "")),
			allowed: []packet{
				send(web, far, "tcp", 80), send(web, web, "tcp", 80), send(db6, db6, "udp", 9),
				reply(send(outside, web, "tcp", 80)),
			},
			denied: []packet{
				send(web, db, "tcp", 80), send(far6, web6, "tcp", 80), send(outside, web, "udp", 53),
				send(outside, web, "icmp", 0), send(hostAddress, web, "tcp", 80),
			},
		},
		{
			name:    "policies are of their own namespace",
			in:      cast(newPolicy("bank/deny", "")),
			allowed: []packet{send(far, web, "tcp", 80), send(web, db, "tcp", 80), send(web, far, "tcp", 80)},
		},
		{
			name:    "egress policies of a pod elsewhere are enforced elsewhere",
			in:      cast(newPolicy("bank/deny", "", ofTypes(typeEgress))),
			allowed: []packet{send(far, web, "tcp", 80)},
		},
		{
			name:    "types default to ingress alone",
			in:      cast(newPolicy("shop/in", "app=web")),
			allowed: []packet{send(web, db, "tcp", 80)},
			denied:  []packet{send(db, web, "tcp", 80)},
		},
		{
			name:    "types default to both if there are egress rules",
			in:      cast(newPolicy("shop/out", "app=web", to(peers(block("10.0.1.0/24"))))),
			allowed: []packet{send(web, db, "tcp", 80)},
			denied:  []packet{send(db, web, "tcp", 80), send(web, far, "tcp", 80), send(web, outside, "tcp", 80)},
		},
		{
			name:    "egress alone does not isolate from what comes in",
			in:      cast(newPolicy("shop/out", "app=web", ofTypes(typeEgress))),
			allowed: []packet{send(db, web, "tcp", 80), send(outside, web, "tcp", 80)},
			denied:  []packet{send(web, db, "tcp", 80), send(web6, far6, "udp", 53), send(web, outside, "tcp", 443)},
		},
	} {
		test.run(t)
	}
}

func TestSeveralPolicies(t *testing.T) {
	for _, test := range []compileCase{
		{
			name:    "both ends must agree",
			in:      cast(newPolicy("shop/out", "app=web", to(peers(pods("app=db")))), newPolicy("shop/in", "app=db", from(peers(pods("app=nobody"))))),
			allowed: []packet{send(db, far, "tcp", 80)},
			denied:  []packet{send(web, db, "tcp", 80)},
		},
		{
			name:    "policies add up",
			in:      cast(newPolicy("shop/a", "app=db", from(nil, port(tcp, 80))), newPolicy("shop/b", "", from(nil, port(udp, 53))), newPolicy("shop/c", "")),
			allowed: []packet{send(web, db, "tcp", 80), send(web, db, "udp", 53), send(far, web, "udp", 53)},
			denied:  []packet{send(web, db, "tcp", 81), send(far, web, "tcp", 80)},
		},
		{
			name:    "a rule without peers and ports allows all",
			in:      cast(newPolicy("shop/all", "", from(nil))),
			allowed: []packet{send(outside, web, "icmp", 0), send(far6, db6, "sctp", 7)},
		},
	} {
		test.run(t)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

func TestSelectors(t *testing.T) {
	for _, test := range []compileCase{
		{
			name:    "pods are those of the policy's namespace",
			in:      cast(newPolicy("shop/in", "app=db", from(peers(pods("app=web"))))),
			allowed: []packet{send(web, db, "tcp", 80), send(web6, db6, "icmp", 0)},
			denied:  []packet{send(far, db, "tcp", 80), send("2001:db8::7", db6, "tcp", 80)},
		},
		{
			name:    "an empty pod selector is the whole namespace and nothing else",
			in:      cast(newPolicy("shop/in", "app=db", from(peers(pods(""))))),
			allowed: []packet{send(web, db, "tcp", 80)},
			denied:  []packet{send(far, db, "tcp", 80), send(outside, db, "tcp", 80)},
		},
		{
			name:    "namespaces are all of their pods",
			in:      cast(newPolicy("shop/in", "app=db", from(peers(namespaces("team=bank"))))),
			allowed: []packet{send(far, db, "tcp", 80)},
			denied:  []packet{send(web, db, "tcp", 80), send(hostAddress, db, "tcp", 80)},
		},
		{
			name:    "an empty namespace selector is all pods, not all addresses",
			in:      cast(newPolicy("shop/in", "app=db", from(peers(namespaces(""))))),
			allowed: []packet{send(far, db, "tcp", 80), send(web, db, "tcp", 80)},
			denied:  []packet{send(outside, db, "tcp", 80), send(hostAddress, db, "tcp", 80)},
		},
		{
			name:    "both selectors in one peer must match",
			in:      cast(newPolicy("shop/in", "app=db", from(peers(podsInNamespaces("app=web", "team=bank"))))),
			allowed: []packet{send(far, db, "tcp", 80)},
			denied:  []packet{send(web, db, "tcp", 80)},
		},
		{
			name:    "two peers are alternatives",
			in:      cast(newPolicy("shop/in", "app=db", from(peers(pods("app=web"), namespaces("team=bank"))))),
			allowed: []packet{send(far, db, "tcp", 80), send(web, db, "tcp", 80)},
			denied:  []packet{send(outside, db, "tcp", 80)},
		},
		{
			name:    "a namespace that is not known yet is in no selection",
			in:      cast(newPod("new/pod", "", "10.0.2.9"), newPolicy("shop/in", "app=db", from(peers(namespaces(""))))),
			allowed: []packet{send(far, db, "tcp", 80)},
			denied:  []packet{send("10.0.2.9", db, "tcp", 80)},
		},
		{
			name:    "a peer without anything is nothing",
			in:      cast(newPolicy("shop/in", "app=db", from(peers(networkingv1.NetworkPolicyPeer{})))),
			allowed: []packet{send(web, far, "tcp", 80)},
			denied:  []packet{send(web, db, "tcp", 80), send(outside, db, "tcp", 80)},
		},
	} {
		test.run(t)
	}
}

func TestBlocks(t *testing.T) {
	for _, test := range []compileCase{
		{
			name:    "blocks with exceptions, some of them nested",
			in:      cast(newPolicy("shop/in", "", from(peers(block("0.0.0.0/0", "10.0.2.0/24", "10.0.2.0/25"))))),
			allowed: []packet{send(outside, web, "tcp", 80), send(db, web, "tcp", 80)},
			denied:  []packet{send(far, web, "tcp", 80), send(far6, web6, "tcp", 80)},
		},
		{
			name:    "a block as old API servers have let it through",
			in:      cast(newPolicy("shop/in", "", from(peers(block("192.000.002.007/24"))))),
			allowed: []packet{send(outside, web, "tcp", 80)},
			denied:  []packet{send(far, web, "tcp", 80)},
		},
		{
			name:   "a block that cannot be read, or an exception, is closed",
			in:     cast(newPolicy("shop/in", "", from(peers(block("everything"), block("0.0.0.0/0", "nothing"))))),
			denied: []packet{send(outside, web, "tcp", 80)},
		},
		{
			name:    "blocks of the other family",
			in:      cast(newPolicy("shop/out", "", to(peers(block("fd00:2::/64", "fd00:2::8/125"))))),
			allowed: []packet{send(web6, far6, "tcp", 80)},
			denied:  []packet{send(web6, "fd00:2::9", "tcp", 80), send(web, far, "tcp", 80)},
		},
		{
			name:    "one family only",
			in:      inFamily(ipv4, cast(newPolicy("shop/in", "", from(peers(pods("app=web"), block("fd00::/8")))))),
			allowed: []packet{send(web, db, "tcp", 80)},
			denied:  []packet{send(far, db, "tcp", 80)},
		},
	} {
		test.run(t)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

const (
	typeIngress = networkingv1.PolicyTypeIngress
	typeEgress  = networkingv1.PolicyTypeEgress
	tcp         = corev1.ProtocolTCP
	udp         = corev1.ProtocolUDP
	sctp        = corev1.ProtocolSCTP
)

// The cast of all cases. web and db are on this node, far is on the other one.
const (
	web, web6   = "10.0.1.1", "fd00:1::1"
	db, db6     = "10.0.1.2", "fd00:1::2"
	far, far6   = "10.0.2.1", "fd00:2::1"
	outside     = "192.0.2.7"
	unknown     = "10.0.1.77"
	hostAddress = "172.16.0.1"
)

func cast(more ...any) input {
	return newInput(append([]any{
		newNamespace("shop", "team=shop"),
		newNamespace("bank", "team=bank"),
		with(newPod("shop/web", "app=web", web, web6), withPort("http", tcp, 8080)),
		with(newPod("shop/db", "app=db", db, db6), withPort("http", tcp, 9090), withPort("sync", udp, 53)),
		with(newPod("bank/far", "app=web", far, far6), onOtherNode, withPort("http", tcp, 7070)),
		with(newPod("bank/agent", "app=web", hostAddress), inHostNetwork, onOtherNode),
	}, more...)...)
}

func inFamily(f family, in input) input {
	in.families = []family{f}
	return in
}

func send(src, dst, protocol string, port int) packet {
	return packet{src: netip.MustParseAddr(src), dst: netip.MustParseAddr(dst), protocol: protocol, port: port}
}

func reply(p packet) packet {
	p.established = true
	return p
}

// compileCase says what becomes of packets.
type compileCase struct {
	name    string
	in      input
	allowed []packet
	denied  []packet
}

func (c compileCase) run(t *testing.T) {
	t.Run(c.name, func(t *testing.T) {
		m := machine{t, compile(c.in)}
		for _, p := range c.allowed {
			if !m.accepts(p) {
				t.Errorf("%v is dropped", p)
			}
		}
		for _, p := range c.denied {
			if m.accepts(p) {
				t.Errorf("%v is accepted", p)
			}
		}
	})
}

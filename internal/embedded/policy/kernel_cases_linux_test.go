// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

// The pods of the hand-written cases: 0, 2 and 4 are on this node.
const (
	pod0, pod0v6 = "10.0.1.1", "fd00:1::1"
	pod2, pod2v6 = "10.0.1.3", "fd00:1::3"
	pod1, pod1v6 = "10.0.2.2", "fd00:2::2"
)

func yes(packet) bool { return true }
func no(packet) bool  { return false }

func kernelCast(policies ...*networkingv1.NetworkPolicy) input {
	in := newInput(
		newNamespace("shop", "team=shop"),
		newNamespace("bank", "team=bank"),
		with(newPod("shop/web", "app=web", pod0, pod0v6), withPort("http", tcp, 8080)),
		with(newPod("shop/db", "app=db", pod2, pod2v6), withPort("http", tcp, 9090)),
		with(newPod("bank/far", "app=web", pod1, pod1v6), onOtherNode, withPort("http", tcp, 8081)))
	in.policies = policies
	return in
}

// testCases are the same kinds of policies that the tests of the compiler have.
func (n *testNode) testCases(t *testing.T) {
	for _, test := range []compileCase{
		{
			name:    "no policy",
			in:      kernelCast(),
			allowed: []packet{send(pod0, pod2, "tcp", 80), send(pod1v6, pod0v6, "udp", 80), send(outside, pod0, "sctp", 80), send(pod0, outside, "tcp", 80)},
		},
		{
			name:    "default deny of ingress",
			in:      kernelCast(newPolicy("shop/deny", "")),
			allowed: []packet{send(pod0, pod1, "tcp", 80), send(pod2v6, pod1v6, "udp", 80), send(pod0, outside, "sctp", 80)},
			denied:  []packet{send(pod0, pod2, "tcp", 80), send(pod1, pod0, "udp", 80), send(outside, pod2, "sctp", 80), send(pod1v6, pod0v6, "tcp", 80)},
		},
		{
			name:    "default deny of egress",
			in:      kernelCast(newPolicy("shop/deny", "app=web", ofTypes(typeEgress))),
			allowed: []packet{send(pod1, pod0, "tcp", 80), send(pod2, pod0, "udp", 80), send(pod2v6, pod1v6, "tcp", 80)},
			denied:  []packet{send(pod0, pod2, "tcp", 80), send(pod0v6, pod1v6, "udp", 80), send(pod0, outside, "tcp", 80)},
		},
		{
			name:    "pods, namespaces, both",
			in:      kernelCast(newPolicy("shop/in", "app=db", from(peers(pods("app=web")), port(tcp, 80)), from(peers(podsInNamespaces("app=web", "team=bank")), port(udp, 80)))),
			allowed: []packet{send(pod0, pod2, "tcp", 80), send(pod0v6, pod2v6, "tcp", 80), send(pod1, pod2, "udp", 80)},
			denied:  []packet{send(pod1, pod2, "tcp", 80), send(pod0, pod2, "udp", 80), send(outside, pod2, "tcp", 80)},
		},
		{
			name:    "blocks with exceptions",
			in:      kernelCast(newPolicy("shop/in", "", from(peers(block("0.0.0.0/0", "10.0.2.0/24"), block("2001:db8::/32"))))),
			allowed: []packet{send(outside, pod0, "tcp", 80), send(pod2, pod0, "udp", 80), send("2001:db8::7", pod0v6, "tcp", 80)},
			denied:  []packet{send(pod1, pod0, "tcp", 80), send(pod1v6, pod0v6, "tcp", 80)},
		},
		{
			name:    "ranges and protocols",
			in:      kernelCast(newPolicy("shop/in", "", from(nil, ports(tcp, 8000, 8080), anyPort(udp), port(sctp, 9090)))),
			allowed: []packet{send(pod1, pod0, "tcp", 8080), send(pod1, pod0, "udp", 9090), send(pod1, pod0, "sctp", 9090), send(pod1v6, pod0v6, "sctp", 9090)},
			denied:  []packet{send(pod1, pod0, "tcp", 8081), send(pod1, pod0, "sctp", 80)},
		},
		{
			name:    "named ports",
			in:      kernelCast(newPolicy("shop/in", "", from(nil, portNamed(tcp, "http"))), newPolicy("shop/out", "app=web", ofTypes(typeEgress), to(peers(namespaces("")), portNamed(tcp, "http")))),
			allowed: []packet{send(pod1, pod0, "tcp", 8080), send(pod1, pod2, "tcp", 9090), send(pod0, pod1, "tcp", 8081), send(pod0v6, pod2v6, "tcp", 9090)},
			denied:  []packet{send(pod1, pod0, "tcp", 9090), send(pod1, pod2, "tcp", 8080), send(pod0, pod1, "tcp", 8080), send(pod1, pod0, "udp", 8080)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			mustApply(t, n.table, test.in)
			n.expect(t, yes, test.allowed...)
			n.expect(t, no, test.denied...)
		})
	}
}

// testService does what the service proxy does, and has a pod reach itself
// through a Service although nothing may reach it.
func (n *testNode) testService(t *testing.T) {
	nft(t, `
table ip service {
	chain pre { type nat hook prerouting priority dstnat; ip daddr 10.96.0.1 tcp dport 80 dnat to `+pod0+`:8080; }
	chain post { type nat hook postrouting priority srcnat; ip saddr `+pod0+` ip daddr `+pod0+` masquerade; }
}`)
	defer nft(t, "delete table ip service")
	mustApply(t, n.table, kernelCast(newPolicy("shop/deny", "app=web", ofTypes(typeIngress, typeEgress))))
	n.expect(t, yes, send(pod0, "10.96.0.1", "tcp", 80))
	n.expect(t, no, send(pod2, "10.96.0.1", "tcp", 80), send(pod1, "10.96.0.1", "tcp", 80))

	allow := newPolicy("shop/allow", "app=web", from(peers(pods("app=db")), port(tcp, 8080)))
	mustApply(t, n.table, kernelCast(newPolicy("shop/deny", "app=web", ofTypes(typeIngress, typeEgress)), allow))
	n.expect(t, yes, send(pod2, "10.96.0.1", "tcp", 80))
	n.expect(t, no, send(pod1, "10.96.0.1", "tcp", 80))
}

func nft(t *testing.T, script string) {
	t.Helper()
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
}

// testEstablished shows what doc.go says of connections that are open when a
// policy comes.
func (n *testNode) testEstablished(t *testing.T) {
	mustApply(t, n.table, kernelCast())
	to := netip.AddrPortFrom(netip.MustParseAddr(pod2), 80)
	must(t, n.pods[0].order(order{Do: "open", To: to, Within: soon}))
	mustApply(t, n.table, kernelCast(newPolicy("shop/deny", "", ofTypes(typeIngress, typeEgress))))
	must(t, n.pods[0].order(order{Do: "talk", To: to, Within: soon}))
	n.expect(t, no, send(pod0, pod2, "tcp", 80))
}

// testNode is the node that talks to its isolated pods, as the kubelet does, and
// they to it.
func (n *testNode) testNode(t *testing.T) {
	mustApply(t, n.table, kernelCast(newPolicy("shop/deny", "", ofTypes(typeIngress, typeEgress))))
	for _, address := range []string{pod0 + ":80", "[" + pod0v6 + "]:80"} {
		conn, err := net.DialTimeout("tcp", address, soon)
		must(t, err)
		must(t, echo(conn, soon))
		must(t, conn.Close())
	}
	listener, err := net.Listen("tcp", ":80")
	must(t, err)
	defer listener.Close()
	go serveTCP(listener)
	for _, gateway := range gateways() {
		n.expect(t, yes, packet{src: n.pods[0].v4, dst: gateway, protocol: "tcp", port: 80})
	}
}

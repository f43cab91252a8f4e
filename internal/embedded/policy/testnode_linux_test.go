// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"sigs.k8s.io/knftables"
)

// testNode is a node with pods attached as the CNI plugin ptp attaches them. All
// of its pods are routed by this namespace, those that play pods of another node
// and the outside too.
type testNode struct {
	nft   knftables.Interface
	pods  []*remotePod
	table *table
}

// remotePod is a pod process as its node sees it.
type remotePod struct {
	v4, v6  netip.Addr
	orders  *json.Encoder
	mu      sync.Mutex
	reports map[int]chan report
}

const (
	testPodCount = 6
	// outsidePod is the index of the one that is no pod.
	outsidePod = testPodCount
	// soon is when the answer to what is allowed must have come, on a machine
	// that is busy; never is how long to wait for one that must not come.
	soon, never = 10 * time.Second, 300 * time.Millisecond
)

func newTestNode(t *testing.T) *testNode {
	nft, err := Open()
	must(t, err)
	must(t, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644))
	must(t, os.WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", []byte("1"), 0o644))
	lo, err := netlink.LinkByName("lo")
	must(t, err)
	must(t, netlink.LinkSetUp(lo))
	n := &testNode{nft: nft, table: fresh(nft)}
	for i := range testPodCount {
		v4, v6 := podAddresses(1+i%2, i)
		n.pods = append(n.pods, newRemotePod(t, i, v4, v6))
	}
	n.pods = append(n.pods, newRemotePod(t, outsidePod, "192.0.2.7", "2001:db8::7"))
	n.warmUp(t)
	return n
}

// warmUp waits until all links work: what is dropped from then on, policies drop.
func (n *testNode) warmUp(t *testing.T) {
	var packets []packet
	for _, src := range n.pods {
		for _, dst := range n.pods {
			packets = append(packets,
				packet{src: src.v4, dst: dst.v4, protocol: "tcp", port: 80},
				packet{src: src.v6, dst: dst.v6, protocol: "tcp", port: 80})
		}
	}
	n.expect(t, yes, packets...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func gateways() []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("169.254.1.1"), netip.MustParseAddr("fd00:ffff::1")}
}

func newRemotePod(t *testing.T, index int, v4, v6 string) *remotePod {
	cmd := command(t, "pod")
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	p := &remotePod{
		v4: netip.MustParseAddr(v4), v6: netip.MustParseAddr(v6),
		orders: json.NewEncoder(in), reports: map[int]chan report{},
	}
	go p.receive(out)
	p.attach(t, index, cmd.Process.Pid)
	return p
}

// attach makes a veth pair and the routes of both sides.
func (p *remotePod) attach(t *testing.T, index, pid int) {
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: fmt.Sprintf("veth%d", index)},
		PeerName:      "eth0",
		PeerNamespace: netlink.NsPid(pid),
	}
	must(t, netlink.LinkAdd(veth))
	must(t, netlink.LinkSetUp(veth))
	for _, gateway := range gateways() {
		must(t, addAddress(veth, gateway))
	}
	for _, addr := range []netip.Addr{p.v4, p.v6} {
		must(t, addRoute(veth, netip.PrefixFrom(addr, addr.BitLen()), netip.Addr{}))
	}
	must(t, p.order(order{Do: "configure", Addresses: []netip.Addr{p.v4, p.v6}, Gateways: gateways()}))
}

func addAddress(link netlink.Link, addr netip.Addr) error {
	a := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(addr, addr.BitLen()))}
	if addr.Is6() {
		// Usable at once: nobody else has the address.
		a.Flags = syscall.IFA_F_NODAD
	}
	if err := netlink.AddrAdd(link, a); err != nil {
		return fmt.Errorf("adding address %v: %w", addr, err)
	}
	return nil
}

// addRoute is the default route without a prefix, and on the link without a
// gateway.
func addRoute(link netlink.Link, to netip.Prefix, gateway netip.Addr) error {
	route := &netlink.Route{LinkIndex: link.Attrs().Index}
	if gateway.IsValid() {
		route.Gw = gateway.AsSlice()
	} else {
		route.Dst, route.Scope = ipNet(to), netlink.SCOPE_LINK
	}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("adding route to %v by %v: %w", to, gateway, err)
	}
	return nil
}

func ipNet(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
}

// receive hands the reports to those who wait for them.
func (p *remotePod) receive(out io.Reader) {
	for decoder := json.NewDecoder(out); ; {
		var r report
		if decoder.Decode(&r) != nil {
			return
		}
		p.mu.Lock()
		p.reports[r.ID] <- r
		p.mu.Unlock()
	}
}

// order waits until the pod has carried it out.
func (p *remotePod) order(o order) error {
	answer := make(chan report, 1)
	p.mu.Lock()
	o.ID = len(p.reports) + 1
	p.reports[o.ID] = answer
	err := p.orders.Encode(o)
	p.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case r := <-answer:
		if r.Error != "" {
			return fmt.Errorf("%s", r.Error)
		}
		return nil
	case <-time.After(2*soon + never):
		return fmt.Errorf("the pod does not answer")
	}
}

// expect sends real packets and compares with what is wanted, all at once.
func (n *testNode) expect(t *testing.T, want func(packet) bool, packets ...packet) {
	t.Helper()
	var waiting sync.WaitGroup
	for _, p := range packets {
		waiting.Go(func() {
			within := never
			if want(p) {
				within = soon
			}
			err := n.podOf(p.src).order(order{
				Do: "probe", Protocol: p.protocol, To: netip.AddrPortFrom(p.dst, uint16(p.port)), Within: within,
			})
			if (err == nil) != want(p) {
				t.Errorf("%v: allowed is %t, want %t (%v)", p, err == nil, want(p), err)
			}
		})
	}
	waiting.Wait()
}

func (n *testNode) podOf(addr netip.Addr) *remotePod {
	for _, p := range n.pods {
		if p.v4 == addr || p.v6 == addr {
			return p
		}
	}
	return nil
}

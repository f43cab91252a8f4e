// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
)

// order is what the node asks of a pod.
type order struct {
	ID       int
	Do       string // "configure", "probe", "open" or "talk"
	Protocol string
	To       netip.AddrPort
	Within   time.Duration

	Addresses, Gateways []netip.Addr
}

// report answers the order with the same ID.
type report struct {
	ID    int
	Error string
}

// testPod is a process in a network namespace that answers on some ports and
// carries out orders, each as soon as it comes.
type testPod struct {
	own      map[bool]net.IP // addresses, by whether they are for IPv4
	lastPort atomic.Uint32
	sctp     *sctpSocket
	mu       sync.Mutex
	open     map[netip.AddrPort]net.Conn
}

// runPod ends with its input.
func runPod(in io.Reader, out io.Writer) {
	p := &testPod{own: map[bool]net.IP{}, open: map[netip.AddrPort]net.Conn{}}
	p.lastPort.Store(10000)
	var writing sync.Mutex
	encoder := json.NewEncoder(out)
	for decoder := json.NewDecoder(in); ; {
		var o order
		if decoder.Decode(&o) != nil {
			return
		}
		go func() {
			r := report{ID: o.ID}
			if err := p.obey(o); err != nil {
				r.Error = err.Error()
			}
			writing.Lock()
			defer writing.Unlock()
			_ = encoder.Encode(r)
		}()
	}
}

func (p *testPod) obey(o order) error {
	switch o.Do {
	case "configure":
		if err := configure(o); err != nil {
			return err
		}
		for _, addr := range o.Addresses {
			p.own[addr.Is4()] = addr.AsSlice()
		}
		return p.serve()
	case "probe":
		return p.probe(o)
	case "open":
		conn, err := net.DialTimeout("tcp", o.To.String(), o.Within)
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.open[o.To] = conn
		return echo(conn, o.Within)
	case "talk":
		p.mu.Lock()
		defer p.mu.Unlock()
		return echo(p.open[o.To], o.Within)
	}
	return fmt.Errorf("unknown order %q", o.Do)
}

// configure sets up eth0 as the CNI plugin ptp does: a /32 and all routes
// through the gateway.
func configure(o order) error {
	for _, name := range []string{"lo", "eth0"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return err
		}
	}
	link, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	for i, addr := range o.Addresses {
		if err := addAddress(link, addr); err != nil {
			return err
		}
		if err := addRoute(link, netip.PrefixFrom(o.Gateways[i], addr.BitLen()), netip.Addr{}); err != nil {
			return err
		}
		if err := addRoute(link, netip.Prefix{}, o.Gateways[i]); err != nil {
			return err
		}
	}
	return nil
}

// serve answers on all ports that packets are sent to.
func (p *testPod) serve() error {
	for _, port := range portNumbersInUse() {
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			return err
		}
		go serveTCP(listener)
		conn, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
		if err != nil {
			return err
		}
		go serveUDP(conn)
	}
	var err error
	p.sctp, err = newSCTPSocket()
	return err
}

func serveTCP(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		}()
	}
}

func serveUDP(conn net.PacketConn) {
	buffer := make([]byte, 64)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = conn.WriteTo(buffer[:n], from)
	}
}

// probe succeeds if an answer comes in time. Every probe has a source port that
// was not used before, so that conntrack knows nothing of it.
func (p *testPod) probe(o order) error {
	ip, port := p.own[o.To.Addr().Is4()], int(p.lastPort.Add(1))
	switch o.Protocol {
	case "tcp":
		dialer := net.Dialer{Timeout: o.Within, LocalAddr: &net.TCPAddr{IP: ip, Port: port}}
		conn, err := dialer.Dial("tcp", o.To.String())
		if err != nil {
			return err
		}
		defer conn.Close()
		return echo(conn, o.Within)
	case "udp":
		conn, err := net.DialUDP("udp", &net.UDPAddr{IP: ip, Port: port}, net.UDPAddrFromAddrPort(o.To))
		if err != nil {
			return err
		}
		defer conn.Close()
		return repeat(o.Within, func() error { return echo(conn, resendAfter) })
	default:
		return repeat(o.Within, func() error { return p.sctp.greet(o.To, uint16(port)) })
	}
}

// resendAfter is how long to wait for the answer to one packet.
const resendAfter = 100 * time.Millisecond

func repeat(within time.Duration, try func() error) error {
	for deadline := time.Now().Add(within); ; {
		if err := try(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func echo(conn net.Conn, within time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("slipway")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, len("slipway")))
	return err
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestPortFree(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken := listener.Addr().(*net.TCPAddr).AddrPort()
	err = PortFree(taken, "--listen")
	if err == nil || !strings.Contains(err.Error(), "(pid ") || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("PortFree(%s) = %v, want an error that names the process and the flag", taken, err)
	}
	resolved, err := net.ResolveTCPAddr("tcp", taken.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, same := range []netip.AddrPort{resolved.AddrPort(), netip.AddrPortFrom(netip.IPv4Unspecified(), taken.Port()), netip.AddrPortFrom(netip.Addr{}, taken.Port())} {
		if err := PortFree(same, "--listen"); err == nil {
			t.Errorf("PortFree(%s) = nil, but %s is taken", same, taken)
		}
	}
	elsewhere := netip.AddrPortFrom(netip.MustParseAddr("10.1.2.3"), taken.Port())
	if err := PortFree(elsewhere, "--listen"); err != nil {
		t.Errorf("PortFree(%s) = %v, want nil: only another address is taken", elsewhere, err)
	}
}

func TestParseSocketAddress(t *testing.T) {
	for in, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:0016":                         "0.0.0.0:22",
		"00000000000000000000000001000000:0035": "[::1]:53",
	} {
		got, ok := parseSocketAddress(in)
		if !ok || got.String() != want {
			t.Errorf("parseSocketAddress(%q) = %s, %t, want %s (on a little-endian machine)", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "zz:10", "0100007F", "01:0016"} {
		if got, ok := parseSocketAddress(in); ok {
			t.Errorf("parseSocketAddress(%q) = %s, want none", in, got)
		}
	}
}

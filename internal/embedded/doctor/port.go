// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// PortFree returns nil when nothing listens on the port at the given address or
// at all addresses, else an error that says which process does and which flag
// chooses another. The address need not be on a link yet; unspecified, it is
// every address.
func PortFree(address netip.AddrPort, flag string) error {
	// The net package resolves an address of IPv4 to one of IPv6, and none at all to
	// one that is not valid.
	address = netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
	everywhere := !address.Addr().IsValid() || address.Addr().IsUnspecified()
	for _, l := range listeners() {
		if l.at.Port() == address.Port() && (everywhere || l.at.Addr() == address.Addr() || l.at.Addr().IsUnspecified()) {
			return fmt.Errorf("%s is in use%s; stop it, or choose another with %s", address, processOf("socket:["+l.inode+"]"), flag)
		}
	}
	return nil
}

type listener struct {
	at    netip.AddrPort
	inode string
}

// listeners reads the tables of sockets (proc(5)): the second field is the local
// address, the fourth the state (0A listens), the tenth the inode.
func listeners() []listener {
	var all []listener
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		content, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			fields := strings.Fields(line)
			if len(fields) < 10 || fields[3] != "0A" {
				continue
			}
			if at, ok := parseSocketAddress(fields[1]); ok {
				all = append(all, listener{at, fields[9]})
			}
		}
	}
	return all
}

// parseSocketAddress reads an address as the kernel prints it: 32-bit words in
// the machine's byte order, in hexadecimal, then the port.
func parseSocketAddress(s string) (netip.AddrPort, bool) {
	host, portHex, found := strings.Cut(s, ":")
	words, err := hex.DecodeString(host)
	port, perr := strconv.ParseUint(portHex, 16, 16)
	if !found || err != nil || perr != nil || len(words)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(words); i += 4 {
		binary.NativeEndian.PutUint32(words[i:], binary.BigEndian.Uint32(words[i:]))
	}
	addr, ok := netip.AddrFromSlice(words)
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), ok
}

func processOf(socket string) string {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == socket {
			dir := filepath.Dir(filepath.Dir(link))
			name, _ := os.ReadFile(filepath.Join(dir, "comm"))
			return fmt.Sprintf(" by %s (pid %s)", strings.TrimSpace(string(name)), filepath.Base(dir))
		}
	}
	return ""
}

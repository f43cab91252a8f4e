// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// PortFree returns nil when address can be listened on, else an error that
// says which process has the port and which flag chooses another.
func PortFree(address, flag string) error {
	listener, err := net.Listen("tcp", address)
	if err == nil {
		return listener.Close()
	}
	if !errors.Is(err, unix.EADDRINUSE) {
		return fmt.Errorf("listening on %s: %w; choose another address with %s", address, err, flag)
	}
	_, port, _ := net.SplitHostPort(address)
	return fmt.Errorf("%s is in use%s; stop it, or choose another with %s", address, ownerOf(port), flag)
}

// ownerOf names the process that listens on a TCP port, as " by NAME (pid N)".
func ownerOf(port string) string {
	var number uint16
	if _, err := fmt.Sscan(port, &number); err != nil {
		return ""
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if inode := listenerInode(table, number); inode != "" {
			return processOf("socket:[" + inode + "]")
		}
	}
	return ""
}

// listenerInode reads a table of sockets (proc(5)): the second field is the
// local address, the fourth the state (0A listens), the tenth the inode.
func listenerInode(table string, port uint16) string {
	content, err := os.ReadFile(table)
	if err != nil {
		return ""
	}
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) > 9 && fields[3] == "0A" && strings.HasSuffix(fields[1], suffix) {
			return fields[9]
		}
	}
	return ""
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

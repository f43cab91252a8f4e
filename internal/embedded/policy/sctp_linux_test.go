// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net"
	"net/netip"
	"sync"
	"time"
)

// sctpSocket speaks the first two packets of SCTP (RFC 9260) over raw sockets,
// because few kernels have the protocol itself. It answers every INIT.
type sctpSocket struct {
	conns   map[bool]net.PacketConn // by whether they are for IPv4
	mu      sync.Mutex
	waiting map[uint16]chan struct{} // by own port
}

const (
	chunkInit    = 1
	chunkInitAck = 2
	sctpProtocol = "132"
)

func newSCTPSocket() (*sctpSocket, error) {
	s := &sctpSocket{conns: map[bool]net.PacketConn{}, waiting: map[uint16]chan struct{}{}}
	for network, address := range map[string]string{"ip4:" + sctpProtocol: "0.0.0.0", "ip6:" + sctpProtocol: "::"} {
		conn, err := net.ListenPacket(network, address)
		if err != nil {
			return nil, err
		}
		s.conns[address == "0.0.0.0"] = conn
		go s.receive(conn)
	}
	return s, nil
}

// greet sends an INIT and waits for the answer.
func (s *sctpSocket) greet(to netip.AddrPort, port uint16) error {
	answered := make(chan struct{}, 1)
	s.mu.Lock()
	s.waiting[port] = answered
	s.mu.Unlock()
	init := sctpPacket(port, to.Port(), 0, chunkInit)
	if _, err := s.conns[to.Addr().Is4()].WriteTo(init, &net.IPAddr{IP: to.Addr().AsSlice()}); err != nil {
		return err
	}
	select {
	case <-answered:
		return nil
	case <-time.After(resendAfter):
		return errors.New("no answer to INIT")
	}
}

func (s *sctpSocket) receive(conn net.PacketConn) {
	buffer := make([]byte, 256)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if n < 20 {
			continue
		}
		src, dst := binary.BigEndian.Uint16(buffer), binary.BigEndian.Uint16(buffer[2:])
		switch buffer[12] {
		case chunkInit:
			tag := binary.BigEndian.Uint32(buffer[16:])
			_, _ = conn.WriteTo(sctpPacket(dst, src, tag, chunkInitAck), from)
		case chunkInitAck:
			s.answered(dst)
		}
	}
}

func (s *sctpSocket) answered(port uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiting := s.waiting[port]; waiting != nil {
		waiting <- struct{}{}
		delete(s.waiting, port)
	}
}

func sctpPacket(src, dst uint16, tag uint32, chunk byte) []byte {
	packet := binary.BigEndian.AppendUint16(nil, src)
	packet = binary.BigEndian.AppendUint16(packet, dst)
	packet = binary.BigEndian.AppendUint32(packet, tag)
	packet = append(packet, 0, 0, 0, 0) // checksum, below
	packet = append(packet, chunk, 0, 0, 20)
	packet = binary.BigEndian.AppendUint32(packet, uint32(src)+1) // initiate tag, not zero
	packet = binary.BigEndian.AppendUint32(packet, 65536)         // receiver window
	packet = append(packet, 0, 1, 0, 1)                           // streams out and in
	packet = binary.BigEndian.AppendUint32(packet, 1)             // initial TSN
	binary.LittleEndian.PutUint32(packet[8:], crc32.Checksum(packet, crc32.MakeTable(crc32.Castagnoli)))
	return packet
}

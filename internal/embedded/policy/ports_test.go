// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestPorts(t *testing.T) {
	for _, test := range []compileCase{
		{
			name:    "ports, ranges and protocols",
			in:      cast(newPolicy("shop/in", "", from(nil, port(tcp, 80), ports(tcp, 8000, 8010), ports(tcp, 8005, 8020), anyPort(udp), port(sctp, 7)))),
			allowed: []packet{send(far, web, "tcp", 80), send(far, web, "tcp", 8000), send(far, web, "tcp", 8020), send(far, web, "udp", 9), send(far6, web6, "sctp", 7)},
			denied:  []packet{send(far, web, "tcp", 7999), send(far, web, "tcp", 8021), send(far, web, "sctp", 80), send(far, web, "icmp", 0)},
		},
		{
			name:    "a port is of TCP unless it says something else",
			in:      cast(newPolicy("shop/in", "", from(nil, networkingv1.NetworkPolicyPort{Port: new(intstr.FromInt32(53))}))),
			allowed: []packet{send(far, web, "tcp", 53)},
			denied:  []packet{send(far, web, "udp", 53)},
		},
		{
			name:   "a range that ends before it begins is empty",
			in:     cast(newPolicy("shop/in", "", from(nil, ports(tcp, 90, 80)))),
			denied: []packet{send(far, web, "tcp", 80), send(far, web, "tcp", 85), send(far, web, "tcp", 90)},
		},
	} {
		test.run(t)
	}
}

func TestNamedPorts(t *testing.T) {
	for _, test := range []compileCase{
		{
			name:    "a named port is what each destination calls so",
			in:      cast(newPolicy("shop/in", "", from(nil, portNamed(tcp, "http")))),
			allowed: []packet{send(far, web, "tcp", 8080), send(far, db, "tcp", 9090), send(far6, db6, "tcp", 9090)},
			denied:  []packet{send(far, web, "tcp", 9090), send(far, db, "tcp", 8080), send(far, web, "udp", 8080)},
		},
		{
			name:    "a named port has a protocol",
			in:      cast(newPolicy("shop/in", "", from(nil, portNamed(tcp, "sync")), from(nil, portNamed(udp, "http")))),
			allowed: []packet{send(web, far, "tcp", 1)},
			denied:  []packet{send(far, db, "udp", 53), send(far, db, "tcp", 53), send(far, web, "udp", 8080)},
		},
		{
			name:    "a named port of a peer",
			in:      cast(newPolicy("shop/out", "", ofTypes(typeEgress), to(peers(namespaces("team=bank")), portNamed(tcp, "http")))),
			allowed: []packet{send(web, far, "tcp", 7070)},
			denied:  []packet{send(web, far, "tcp", 8080), send(web, db, "tcp", 9090), send(web, outside, "tcp", 7070)},
		},
		{
			name:    "a named port of any destination",
			in:      cast(newPolicy("shop/out", "app=web", ofTypes(typeEgress), to(nil, portNamed(tcp, "http")))),
			allowed: []packet{send(web, far, "tcp", 7070), send(web, db, "tcp", 9090)},
			denied:  []packet{send(web, outside, "tcp", 8080), send(web, far, "tcp", 9090)},
		},
		{
			name: "a named port of a sidecar counts, of an init container not",
			in: cast(with(newPod("shop/side", "", "10.0.1.9"), func(pod *corev1.Pod) {
				pod.Spec.InitContainers = []corev1.Container{
					{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 1111}}},
					{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 2222}}, RestartPolicy: new(corev1.ContainerRestartPolicyAlways)},
				}
			}), newPolicy("shop/in", "", from(nil, portNamed(tcp, "http")))),
			allowed: []packet{send(far, "10.0.1.9", "tcp", 2222)},
			denied:  []packet{send(far, "10.0.1.9", "tcp", 1111)},
		},
	} {
		test.run(t)
	}
}

func TestMerge(t *testing.T) {
	tests := []struct {
		name       string
		in, merged []portRange
	}{
		{"nothing", nil, nil},
		{"apart", []portRange{{82, 82}, {80, 80}}, []portRange{{80, 80}, {82, 82}}},
		{"side by side", []portRange{{80, 81}, {82, 90}}, []portRange{{80, 90}}},
		{"one in another", []portRange{{80, 100}, {85, 90}, {101, 101}}, []portRange{{80, 101}}},
		{"empty", []portRange{{90, 80}, {7, 7}}, []portRange{{7, 7}}},
		{"equal", []portRange{{1, 65535}, {1, 65535}}, []portRange{{1, 65535}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.merged, merge(test.in), cmp.AllowUnexported(portRange{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

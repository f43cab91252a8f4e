// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/knftables"
)

func BenchmarkCompile(b *testing.B) {
	for _, size := range []struct{ policies, pods int }{{10, 100}, {1000, 1000}, {1000, 10000}} {
		b.Run(fmt.Sprintf("policies=%d/pods=%d", size.policies, size.pods), func(b *testing.B) {
			in := largeInput(size.policies, size.pods)
			b.ReportAllocs()
			for b.Loop() {
				compile(in)
			}
		})
	}
}

// BenchmarkUpdate is one more pod, from the ruleset to the text of the transaction.
func BenchmarkUpdate(b *testing.B) {
	in := largeInput(1000, 1000)
	before := compile(in)
	in.pods = append(in.pods, newPod("ns-0/more", "app=app-0", "10.9.9.9"))
	after := compile(in)
	nft := knftables.NewFake(knftables.InetFamily, tableName)
	for b.Loop() {
		tx := nft.NewTransaction()
		after.update(tx, before)
		_ = tx.String()
	}
}

// largeInput spreads pods over 50 namespaces and every tenth of them to this node.
// Every policy selects pods of this node.
func largeInput(policies, pods int) input {
	in := newInput()
	for n := range 50 {
		in.namespaces = append(in.namespaces, newNamespace(fmt.Sprintf("ns-%d", n), fmt.Sprintf("team=team-%d", n)))
	}
	for n := range pods {
		pod := newPod(fmt.Sprintf("ns-%d/pod-%d", n%50, n), fmt.Sprintf("app=app-%d", n/50%10),
			fmt.Sprintf("10.1.%d.%d", n/250, n%250+1), fmt.Sprintf("fd00::%x", n+1))
		withPort("http", corev1.ProtocolTCP, 8080)(pod)
		if n%10 != 0 {
			onOtherNode(pod)
		}
		in.pods = append(in.pods, pod)
	}
	for n := range policies {
		in.policies = append(in.policies, largePolicy(n%5*10, n))
	}
	return in
}

func largePolicy(namespace, n int) *networkingv1.NetworkPolicy {
	return newPolicy(fmt.Sprintf("ns-%d/policy-%d", namespace, n), "",
		from(peers(pods(fmt.Sprintf("app=app-%d", n%10)), podsInNamespaces(fmt.Sprintf("app=app-%d", n%7), fmt.Sprintf("team=team-%d", n%50))), port(tcp, int32(n%60000+1))),
		to(peers(namespaces("")), portNamed(tcp, "http")))
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPodStates(t *testing.T) {
	for _, test := range []compileCase{
		{
			name: "finished pods are neither peers nor protected",
			in: cast(
				with(newPod("shop/done", "app=job", "10.0.1.9"), inPhase(corev1.PodSucceeded)),
				newPolicy("shop/in", "", from(peers(pods("app=job"))))),
			allowed: []packet{send(far, "10.0.1.9", "tcp", 80)},
			denied:  []packet{send("10.0.1.9", web, "tcp", 80)},
		},
		{
			name: "an address in two pods is the newer one's",
			in: cast(
				with(newPod("shop/old", "app=job", "10.0.1.9"), func(pod *corev1.Pod) { pod.CreationTimestamp = metav1.Unix(1, 0) }),
				with(newPod("bank/new", "", "10.0.1.9"), func(pod *corev1.Pod) { pod.CreationTimestamp = metav1.Unix(2, 0) }),
				newPolicy("shop/in", "", from(peers(pods("app=job"))))),
			allowed: []packet{send(far, "10.0.1.9", "tcp", 80)},
			denied:  []packet{send("10.0.1.9", web, "tcp", 80)},
		},
	} {
		test.run(t)
	}
}

func TestHold(t *testing.T) {
	for _, test := range []compileCase{
		{
			name: "an address that nobody knows is held while an isolated pod has none",
			in: cast(netip.MustParsePrefix("10.0.1.0/24"), newPod("shop/new", "app=new"),
				newPolicy("shop/in", "app=new", ofTypes(typeIngress))),
			allowed: []packet{send(unknown, far, "tcp", 80), send(web, db, "tcp", 80), send(far, "10.0.2.77", "tcp", 80), reply(send(far, unknown, "tcp", 80))},
			denied:  []packet{send(far, unknown, "tcp", 80), send(web, unknown, "tcp", 80)},
		},
		{
			name: "an address that nobody knows is held on the way out too",
			in: cast(netip.MustParsePrefix("10.0.1.0/24"), newPod("shop/new", "app=new"),
				newPolicy("shop/out", "app=new", ofTypes(typeEgress))),
			allowed: []packet{send(far, unknown, "tcp", 80)},
			denied:  []packet{send(unknown, far, "tcp", 80)},
		},
		{
			name: "nothing is held for new pods that no policy isolates, or of other nodes, or of the host's network",
			in: cast(netip.MustParsePrefix("10.0.1.0/24"), newPod("shop/new", "app=new"),
				with(newPod("shop/elsewhere", "app=elsewhere"), onOtherNode), with(newPod("shop/host", "app=elsewhere"), inHostNetwork),
				newPolicy("shop/in", "app=elsewhere", ofTypes(typeIngress, typeEgress))),
			allowed: []packet{send(far, unknown, "tcp", 80), send(unknown, far, "tcp", 80)},
		},
	} {
		test.run(t)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/knftables"
)

// testModel takes the kernel from one random cluster to the next, by the same
// small steps as the agent, and compares what it does with the model.
func (n *testNode) testModel(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(seed + 5000)
		w.podCount = testPodCount
		in := w.input()
		mustApply(t, n.table, in)
		var packets []packet
		for range 200 {
			if p := n.packet(w); p.src != p.dst {
				packets = append(packets, p)
			}
		}
		n.expect(t, model{in}.allowed, packets...)
		if t.Failed() {
			t.Fatalf("seed %d", seed+5000)
		}
	}
}

func (n *testNode) packet(w world) packet {
	src, dst := pick(w, n.pods...), pick(w, n.pods...)
	p := packet{src: src.v4, dst: dst.v4, protocol: pick(w, "tcp", "udp", "sctp"), port: int(w.number())}
	if w.IntN(2) == 0 {
		p.src, p.dst = src.v6, dst.v6
	}
	return p
}

// announced tells of every transaction that has run.
type announced struct {
	knftables.Interface
	ran chan time.Time
}

func (a announced) Run(ctx context.Context, tx *knftables.Transaction) error {
	err := a.Interface.Run(ctx, tx)
	if err == nil {
		a.ran <- time.Now()
	}
	return err
}

// testLive runs the agent against the kernel and logs how long changes take.
func (n *testNode) testLive(t *testing.T) {
	client := fake.NewClientset(newNamespace("shop", ""), newPod("shop/web", "app=web", pod0, pod0v6))
	nft := announced{n.nft, make(chan time.Time, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- Run(ctx, Config{Node: thisNode, Client: client, Nft: nft, Ready: func() { close(ready) }})
	}()
	<-ready
	<-nft.ran
	n.expect(t, yes, send(pod2, pod0, "tcp", 80))

	begin := time.Now()
	policy := newPolicy("shop/in", "", from(peers(pods("app=web"))))
	_, err := client.NetworkingV1().NetworkPolicies("shop").Create(t.Context(), policy, metav1.CreateOptions{})
	must(t, err)
	t.Logf("policy in force after %v", (<-nft.ran).Sub(begin))
	n.expect(t, no, send(pod2, pod0, "tcp", 80))

	begin = time.Now()
	_, err = client.CoreV1().Pods("shop").Create(t.Context(), newPod("shop/more", "app=web", pod2, pod2v6), metav1.CreateOptions{})
	must(t, err)
	t.Logf("new pod in force after %v", (<-nft.ran).Sub(begin))
	n.expect(t, yes, send(pod2, pod0, "tcp", 80), send(pod0v6, pod2v6, "udp", 80))
	n.expect(t, no, send(pod1, pod2, "tcp", 80))

	cancel()
	must(t, <-done)
	n.expect(t, no, send(pod1, pod2, "tcp", 80))
	must(t, Cleanup(t.Context(), n.nft))
	n.expect(t, yes, send(pod1, pod2, "tcp", 80))
	n.table = fresh(n.nft)
}

// testScale logs what nft takes for a large cluster and for one more pod in it.
func (n *testNode) testScale(t *testing.T) {
	in := largeInput(1000, 1000)
	for _, step := range []struct {
		name   string
		change func()
	}{
		{"everything", func() {}},
		{"one more pod here", func() { in.pods = append(in.pods, newPod("ns-0/more", "app=app-0", "10.9.9.9")) }},
		{"one more policy", func() { in.policies = append(in.policies, largePolicy(0, 5000)) }},
		{"all but one pod gone", func() { in.pods = in.pods[:1] }},
	} {
		step.change()
		begin := time.Now()
		rules := compile(in)
		compiled := time.Now()
		must(t, n.table.apply(t.Context(), rules))
		t.Logf("%s: compiled in %v, applied in %v", step.name, compiled.Sub(begin).Round(time.Millisecond), time.Since(compiled).Round(time.Millisecond))
	}
}

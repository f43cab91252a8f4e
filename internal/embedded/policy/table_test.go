// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/knftables"
)

// recorder keeps the transactions that run, and refuses those that refuse says.
type recorder struct {
	*knftables.Fake
	ran    []string
	refuse func(transaction string) error
}

func newRecorder() *recorder {
	return &recorder{
		Fake:   knftables.NewFake(knftables.InetFamily, tableName),
		refuse: func(string) error { return nil },
	}
}

func (r *recorder) Run(ctx context.Context, tx *knftables.Transaction) error {
	if err := r.refuse(tx.String()); err != nil {
		return err
	}
	r.ran = append(r.ran, tx.String())
	return r.Fake.Run(ctx, tx)
}

// contents is what the table holds, in an order that does not depend on how it
// came to hold it.
func (r *recorder) contents() []string {
	lines := strings.Split(strings.TrimSpace(r.Dump()), "\n")
	rules := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "add element") })
	if rules >= 0 {
		slices.Sort(lines[rules:])
	}
	return lines
}

func fresh(nft knftables.Interface) *table {
	return &table{nft: nft}
}

func mustApply(t *testing.T, table *table, in input) {
	t.Helper()
	if err := table.apply(t.Context(), compile(in)); err != nil {
		t.Fatal(err)
	}
}

// TestStepsLeadToTheSameTable goes from one random cluster to the next in steps
// and compares with writing the last one at once.
func TestStepsLeadToTheSameTable(t *testing.T) {
	steps := newRecorder()
	stepping := fresh(steps)
	for seed := range uint64(300) {
		in := newWorld(seed).input()
		mustApply(t, stepping, in)
		once := newRecorder()
		mustApply(t, fresh(once), in)
		if diff := cmp.Diff(once.contents(), steps.contents()); diff != "" {
			t.Fatalf("seed %d (-at once +in steps):\n%s", seed, diff)
		}
	}
}

// TestPodsCostElements is the promise that a pod that comes or goes changes no
// chain, and that what is no change costs nothing.
func TestPodsCostElements(t *testing.T) {
	policy := newPolicy("shop/in", "", from(peers(pods("app=web")), portNamed(tcp, "http")))
	nft := newRecorder()
	table := fresh(nft)
	mustApply(t, table, cast(policy))
	nft.ran = nil
	mustApply(t, table, cast(policy))
	if len(nft.ran) > 0 {
		t.Errorf("a transaction ran without a change:\n%s", nft.ran)
	}
	mustApply(t, table, cast(policy, with(newPod("shop/more", "app=web", "10.0.1.9"), withPort("http", tcp, 1234))))
	mustApply(t, table, cast(policy))
	want := []string{`
add element inet slipway-policy ingress-isolated-ip { 10.0.1.9 : goto GROUP }
add element inet slipway-policy ingress-port-http-ip { 10.0.1.9 . 1234 }
add element inet slipway-policy known-ip { 10.0.1.9 }
add element inet slipway-policy pods-web-ip { 10.0.1.9 }
add element inet slipway-policy self-ip { 10.0.1.9 . 10.0.1.9 }
`, `
delete element inet slipway-policy ingress-isolated-ip { 10.0.1.9 }
delete element inet slipway-policy ingress-port-http-ip { 10.0.1.9 . 1234 }
delete element inet slipway-policy known-ip { 10.0.1.9 }
delete element inet slipway-policy pods-web-ip { 10.0.1.9 }
delete element inet slipway-policy self-ip { 10.0.1.9 . 10.0.1.9 }
`}
	readable := strings.NewReplacer(
		"ingress-group-"+digest("shop", "in"), "GROUP",
		digest("tcp", "http"), "http",
		digest("namespace", "shop", "app=web"), "web")
	for i, text := range nft.ran {
		nft.ran[i] = "\n" + readable.Replace(text)
	}
	if diff := cmp.Diff(want, nft.ran); diff != "" {
		t.Errorf("transactions (-want +got):\n%s", diff)
	}
}

// TestRepair has a transaction fail, as when another program has deleted the
// table: the next attempt writes all of it.
func TestRepair(t *testing.T) {
	nft := newRecorder()
	table := fresh(nft)
	mustApply(t, table, cast(newPolicy("shop/a", "")))
	if err := Cleanup(t.Context(), nft); err != nil {
		t.Fatal(err)
	}
	next := cast(newPolicy("shop/a", ""), newPolicy("shop/b", ""))
	err := table.apply(t.Context(), compile(next))
	if err == nil || !strings.Contains(err.Error(), `writing nftables table "slipway-policy"`) {
		t.Fatalf("error without the table: %v", err)
	}
	mustApply(t, table, next)
	once := newRecorder()
	mustApply(t, fresh(once), next)
	if diff := cmp.Diff(once.contents(), nft.contents()); diff != "" {
		t.Errorf("(-at once +repaired):\n%s", diff)
	}
}

// TestRetiredChains has the kernel refuse to delete chains, as old kernels do for
// a moment. They are deleted later, unless they are in use again.
func TestRetiredChains(t *testing.T) {
	nft := newRecorder()
	table := fresh(nft)
	with, without := cast(newPolicy("shop/a", "")), cast()
	group := "ingress-group-" + digest("shop", "a")
	mustApply(t, table, with)
	nft.refuse = func(transaction string) error {
		if strings.Contains(transaction, "delete chain") {
			return errors.New("device or resource busy")
		}
		return nil
	}
	mustApply(t, table, without)
	if got := nft.Table.Chains[group]; got == nil || len(got.Rules) > 0 {
		t.Errorf("retired chain is %v, want it empty", got)
	}
	mustApply(t, table, with)
	if got := nft.Table.Chains[group]; got == nil || len(got.Rules) != 1 {
		t.Errorf("chain in use again is %v, want one rule", got)
	}
	mustApply(t, table, without)
	nft.refuse = func(string) error { return nil }
	mustApply(t, table, cast(newPod("shop/other", "", "10.0.1.9")))
	if nft.Table.Chains[group] != nil {
		t.Error("retired chain is still there after the next change")
	}
}

func TestCleanup(t *testing.T) {
	nft := newRecorder()
	mustApply(t, fresh(nft), cast())
	for _, state := range []string{"with the table", "without it"} {
		if err := Cleanup(t.Context(), nft); err != nil {
			t.Errorf("%s: %v", state, err)
		}
		if nft.Table != nil {
			t.Errorf("%s: the table is there after Cleanup", state)
		}
	}
	nft.refuse = func(string) error { return errors.New("operation not permitted") }
	if err := Cleanup(t.Context(), nft); err == nil {
		t.Error("no error although nft refused")
	}
}

// TestStripLosesNothing compiles objects as the informers keep them.
func TestStripLosesNothing(t *testing.T) {
	for seed := range uint64(200) {
		in := newWorld(seed).input()
		in.pods = append(in.pods, with(newPod("a/side", "", "10.0.1.99"), func(pod *corev1.Pod) {
			pod.Spec.InitContainers = []corev1.Container{
				{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 1}}},
				{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 2}}, RestartPolicy: new(corev1.ContainerRestartPolicyAlways)},
			}
		}))
		stripped := in
		stripped.pods, stripped.namespaces, stripped.policies = stripAll(in.pods), stripAll(in.namespaces), stripAll(in.policies)
		if diff := cmp.Diff(compile(in), compile(stripped), compareRulesets()); diff != "" {
			t.Fatalf("seed %d (-whole +stripped):\n%s", seed, diff)
		}
	}
}

func stripAll[T any](objects []*T) []*T {
	var stripped []*T
	for _, object := range objects {
		s, _ := strip(object)
		stripped = append(stripped, s.(*T))
	}
	return stripped
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/knftables"
)

// TestGolden shows one whole table as it is given to nft. Run with -update after
// a change that is meant.
func TestGolden(t *testing.T) {
	in := inFamily(ipv4, cast(
		netip.MustParsePrefix("10.0.1.0/24"),
		newPod("shop/new", "app=web"),
		newPolicy("shop/web", "app=web",
			from(peers(podsInNamespaces("app=web", "team=bank"), block("192.0.2.0/24", "192.0.2.128/25")),
				port(tcp, 80), ports(tcp, 8000, 8010), portNamed(tcp, "http"))),
		newPolicy("shop/deny", "", ofTypes(typeIngress))))
	fake := knftables.NewFake(knftables.InetFamily, tableName)
	if err := (&table{nft: fake}).apply(t.Context(), compile(in)); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "table.nft", fake.Dump())
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

var update = flag.Bool("update", false, "write the golden files")

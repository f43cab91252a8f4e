// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
)

func testCluster(t *testing.T) *cluster.Cluster {
	t.Helper()
	dir := t.TempDir()
	return &cluster.Cluster{ID: "test", DataDir: dir, RunDir: dir, APIPort: 6443,
		Nodes: []cluster.Node{{Name: "node-0"}, {Name: "node-1", Index: 1}}}
}

func TestEnsureIssuesOnceAndRenewsWhenDue(t *testing.T) {
	c := testCluster(t)
	now := time.Now()
	first, err := Ensure(c, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != len(Leaves(c)) {
		t.Errorf("issued %d certificates, want %d", len(first), len(Leaves(c)))
	}
	key, err := os.ReadFile(c.PKI("service-account.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 0}, {LeafLife / 2, 0}, {LeafLife*2/3 + time.Hour, len(first)}} {
		issued, err := Ensure(c, now.Add(step.after))
		if err != nil {
			t.Fatal(err)
		}
		if len(issued) != step.want {
			t.Errorf("after %s: issued %v, want %d", step.after, issued, step.want)
		}
	}
	if again, _ := os.ReadFile(c.PKI("service-account.key")); string(again) != string(key) {
		t.Error("the service account key was replaced: every token would be void")
	}
}

func TestEnsureReplacesWhatIsBroken(t *testing.T) {
	c := testCluster(t)
	if _, err := Ensure(c, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.PKI("apiserver.crt"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	issued, err := Ensure(c, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if len(issued) != 1 || issued[0] != "apiserver" {
		t.Errorf("issued %v, want apiserver alone", issued)
	}
}

func TestCertificatesServe(t *testing.T) {
	c := testCluster(t)
	if _, err := Ensure(c, time.Now()); err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(c.PKI("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	for name, host := range map[string]string{
		"apiserver": "10.114.0.1", "serving-node-1": "10.112.0.2", "metrics-server": "metrics-server.kube-system.svc",
	} {
		pair, err := tls.LoadX509KeyPair(c.PKI(name+".crt"), c.PKI(name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("%s does not serve for %s: %v", name, host, err)
		}
	}
}

func TestFilesAreRootsAlone(t *testing.T) {
	c := testCluster(t)
	if _, err := Ensure(c, time.Now()); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(c.DataDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// Leaves lists every certificate of a cluster.
func Leaves(c *cluster.Cluster) []Leaf {
	first := c.NodeIP(c.First()).String()
	apiHosts := []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		"localhost", "127.0.0.1", first, c.APIServiceIP().String()}
	leaves := []Leaf{
		{Name: "apiserver", CommonName: "kube-apiserver", Hosts: apiHosts},
		{Name: "apiserver-kubelet-client", CommonName: "kube-apiserver-kubelet-client", Organization: []string{"slipway:kubelet-clients"}},
		{Name: "front-proxy-client", CommonName: "front-proxy-client", Authority: "front-proxy-ca"},
		{Name: "metrics-server", CommonName: "metrics-server", Hosts: []string{"metrics-server.kube-system.svc", first}},
		{Name: "component-serving", CommonName: "slipway-component", Hosts: []string{"localhost", "127.0.0.1", first}},
	}
	leaves = append(leaves, Clients(c)...)
	for _, n := range c.Nodes {
		leaves = append(leaves, Leaf{Name: "serving-" + n.Name, CommonName: "system:node:" + n.Name,
			Organization: []string{"system:nodes"}, Hosts: []string{n.Name, c.NodeIP(n).String(), c.NodeIP6(n).String()}})
	}
	return leaves
}

// Clients lists the certificates that a kubeconfig is made for. Each is bound
// to its own role; only the supervisor, who makes the roles, is beyond them.
func Clients(c *cluster.Cluster) []Leaf {
	clients := []Leaf{
		{Name: "supervisor", CommonName: "slipway-supervisor", Organization: []string{"system:masters"}},
		{Name: "admin", CommonName: "slipway-admin", Organization: []string{"slipway:admins"}},
		{Name: "controller-manager", CommonName: "system:kube-controller-manager"},
		{Name: "scheduler", CommonName: "system:kube-scheduler"},
		{Name: "metrics", CommonName: "slipway:metrics-server"},
		{Name: "storage", CommonName: "slipway:storage"},
		{Name: "platform", CommonName: "slipway:platform"},
	}
	for _, n := range c.Nodes {
		clients = append(clients,
			Leaf{Name: "kubelet-" + n.Name, CommonName: "system:node:" + n.Name, Organization: []string{"system:nodes"}},
			Leaf{Name: "proxy-" + n.Name, CommonName: "system:kube-proxy"},
			Leaf{Name: "policy-" + n.Name, CommonName: "slipway:network-policy"})
	}
	return clients
}

// Ensure makes what is missing and renews what is due, and returns the names of
// the leaves that it issued. Calling it again at once does nothing.
func Ensure(c *cluster.Cluster, now time.Time) ([]string, error) {
	dir := c.PKI("")
	authorities := map[string]*Authority{}
	for _, name := range []string{"ca", "front-proxy-ca"} {
		a, err := LoadOrCreateAuthority(dir, name)
		if err != nil {
			return nil, err
		}
		authorities[name] = a
	}
	var issued []string
	for _, leaf := range Leaves(c) {
		if leaf.Authority == "" {
			leaf.Authority = "ca"
		}
		if !due(filepath.Join(dir, leaf.Name+".crt"), leaf, authorities[leaf.Authority], now) {
			continue
		}
		if err := authorities[leaf.Authority].Issue(dir, leaf, now, LeafLife); err != nil {
			return nil, err
		}
		issued = append(issued, leaf.Name)
	}
	return issued, errors.Join(ensureKeys(c), WriteKubeconfigs(c, authorities["ca"].PEM))
}

// due says whether a certificate must be issued: it or its key is missing or
// unreadable, or it is signed by another authority, for other hosts, or past two thirds of its life.
func due(path string, leaf Leaf, authority *Authority, now time.Time) bool {
	cert, err := readCert(path)
	if err == nil {
		_, err = tls.LoadX509KeyPair(path, strings.TrimSuffix(path, ".crt")+".key")
	}
	return err != nil || cert.CheckSignatureFrom(authority.Cert) != nil || now.After(RenewAt(cert.NotBefore, cert.NotAfter)) ||
		slices.ContainsFunc(leaf.Hosts, func(host string) bool { return cert.VerifyHostname(host) != nil })
}

// Forget removes the certificates of a node that is removed.
func Forget(c *cluster.Cluster, n cluster.Node) error {
	var errs []error
	for _, name := range []string{"serving-", "kubelet-", "proxy-", "policy-"} {
		for _, suffix := range []string{".crt", ".key", ".kubeconfig"} {
			if err := os.Remove(c.PKI(name + n.Name + suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// NextRenewal is when the first certificate is due. It is the zero time when one
// is missing or unreadable.
func NextRenewal(c *cluster.Cluster) time.Time {
	next := time.Now().Add(LeafLife)
	for _, leaf := range Leaves(c) {
		cert, err := readCert(c.PKI(leaf.Name + ".crt"))
		if err != nil {
			return time.Time{}
		}
		if at := RenewAt(cert.NotBefore, cert.NotAfter); at.Before(next) {
			next = at
		}
	}
	return next
}

// RenewAt is when two thirds of a certificate's life are over.
func RenewAt(notBefore, notAfter time.Time) time.Time {
	return notBefore.Add(notAfter.Sub(notBefore) * 2 / 3)
}

// ensureKeys makes the key that signs service account tokens and the one that
// encrypts Secrets. Neither is ever replaced: tokens and data depend on them.
func ensureKeys(c *cluster.Cluster) error {
	if err := createOnce(c.PKI("service-account.key"), func(path string) error {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		return writeKey(path, key)
	}); err != nil {
		return fmt.Errorf("making the service account key: %w", err)
	}
	return createOnce(c.PKI("encryption.yaml"), func(path string) error {
		if _, err := os.Stat(filepath.Join(c.Etcd(), "member")); err == nil {
			return fmt.Errorf("%s is missing, and without it the Secrets in %s cannot be read; restore it, or start afresh with \"slipway reset\"", path, c.Etcd())
		}
		var secret [32]byte
		_, _ = rand.Read(secret[:])
		return cluster.WriteFile(path, fmt.Appendf(nil, encryptionConfig, base64.StdEncoding.EncodeToString(secret[:])), 0o600)
	})
}

// encryptionConfig encrypts Secrets at rest with XSalsa20 and Poly1305; the
// identity provider reads what was written before encryption was on.
const encryptionConfig = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - secretbox:
      keys:
      - name: key1
        secret: %s
  - identity: {}
`

func createOnce(path string, create func(path string) error) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return create(path)
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pki makes and renews the certificates and keys of an embedded cluster.
//
// There are two authorities, the cluster's and the one for API requests that
// the API server forwards, valid for ten years. Every leaf is an ECDSA P-256
// certificate, valid for a year, and is issued anew, in place, when two thirds
// of its life are over. The processes read their files again by themselves, so
// a cluster that is never restarted never expires.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// Lifetimes of certificates.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	// LeafLife is how long a leaf certificate is valid.
	LeafLife = 365 * 24 * time.Hour
	// backdate allows for clocks that are behind.
	backdate = 5 * time.Minute
)

// Leaf describes a certificate to issue.
type Leaf struct {
	// Name of the files: Name.crt and Name.key.
	Name         string
	CommonName   string
	Organization []string
	// Hosts are the names and addresses of a server; none for a client.
	Hosts []string
	// Authority that issues it: "ca" or "front-proxy-ca".
	Authority string
}

// Authority issues leaves.
type Authority struct {
	Cert *x509.Certificate
	key  *ecdsa.PrivateKey
	// PEM is the certificate in PEM.
	PEM []byte
}

// LoadOrCreateAuthority reads the authority dir/name.{crt,key}, and makes it
// when neither file is there.
func LoadOrCreateAuthority(dir, name string) (*Authority, error) {
	certFile, keyFile := filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	if _, err := os.Stat(keyFile); errors.Is(err, fs.ErrNotExist) {
		if err := createAuthority(certFile, keyFile, "slipway-"+name); err != nil {
			return nil, fmt.Errorf("making authority %s: %w", name, err)
		}
	}
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("reading authority %s: %w", name, err)
	}
	cert, err := parseCert(certPEM)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", certFile, err)
	}
	key, err := readKey(keyFile)
	if err != nil {
		return nil, err
	}
	return &Authority{Cert: cert, key: key, PEM: certPEM}, nil
}

// createAuthority writes the key last: its presence says that both are there.
func createAuthority(certFile, keyFile, commonName string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: commonName},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	certPEM, err := sign(template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	if err := cluster.WriteFile(certFile, certPEM, 0o600); err != nil {
		return err
	}
	return writeKey(keyFile, key)
}

// Issue makes a leaf that is valid for a time from now on and writes
// dir/Name.{crt,key}.
func (a *Authority) Issue(dir string, leaf Leaf, now time.Time, life time.Duration) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the key of %s: %w", leaf.Name, err)
	}
	certPEM, err := sign(leaf.template(now, life), a.Cert, &key.PublicKey, a.key)
	if err != nil {
		return fmt.Errorf("issuing %s: %w", leaf.Name, err)
	}
	if err := writeKey(filepath.Join(dir, leaf.Name+".key"), key); err != nil {
		return err
	}
	return cluster.WriteFile(filepath.Join(dir, leaf.Name+".crt"), certPEM, 0o600)
}

func (l Leaf) template(now time.Time, life time.Duration) *x509.Certificate {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: l.CommonName, Organization: l.Organization},
		NotBefore:   now.Add(-backdate),
		NotAfter:    now.Add(life),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, host := range l.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if len(l.Hosts) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	return template
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func readCert(path string) (*x509.Certificate, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseCert(content)
}

func parseCert(content []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, errors.New("it holds no PEM certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	return cluster.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("reading %s: it holds no PEM key", path)
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return key, nil
}

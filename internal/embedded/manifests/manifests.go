// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package manifests holds what every embedded cluster is given: schemas of our
// kinds, roles of our processes, DNS, metrics and the default StorageClass.
//
// Everything is applied, server side, at each start, so that a new version of
// the program brings its own; what somebody added beside it is left alone.
package manifests

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/template"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"slipway.dev/slipway/api/admission"
	"slipway.dev/slipway/api/crds"
	"slipway.dev/slipway/api/rbac"
	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/containerd"
)

//go:embed files
var files embed.FS

// Schemas returns the CustomResourceDefinitions.
func Schemas() ([]*unstructured.Unstructured, error) { return read(crds.Files, nil) }

// RolesAndPolicies returns the roles of the platform, and the policies by which the API server
// queues Jobs and notes whose they are, the same in every cluster.
func RolesAndPolicies() ([]*unstructured.Unstructured, error) {
	roles, err := read(rbac.Files, nil)
	if err != nil {
		return nil, err
	}
	policies, err := read(admission.Jobs, nil)
	return append(roles, policies...), err
}

// CustomPolicies returns those about custom kinds, which AwaitAdmission is for.
func CustomPolicies() ([]*unstructured.Unstructured, error) { return read(admission.Custom, nil) }

// Cluster returns the rest, for one cluster. The resolvers are the content of
// the host's resolver configuration.
func Cluster(c *cluster.Cluster, programs cluster.Programs, resolvers []byte) ([]*unstructured.Unstructured, error) {
	authority, err := os.ReadFile(c.PKI("ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("reading the cluster's authority: %w", err)
	}
	dns := []string{fmt.Sprintf("%q", c.DNSServiceIP())}
	if c.DualStack {
		dns = append(dns, fmt.Sprintf("%q", c.DNSServiceIP6()))
	}
	return read(files, map[string]any{
		"NodeIP":      c.NodeIP(c.First()).String(),
		"MetricsPort": cluster.PortMetricsServer,
		"CABundle":    base64.StdEncoding.EncodeToString(authority),
		"DNSIP":       c.DNSServiceIP().String(),
		"DNSIPs":      strings.Join(dns, ", "),
		"Resolvers":   len(resolvers) > 0,
		// A DNS server reads its resolvers when it starts.
		"ResolversHash": fmt.Sprintf("%x", sha256.Sum256(resolvers))[:16],
		"Image":         containerd.PauseImage,
		"Program":       programs.Self(),
	})
}

// read decodes every file, in order of name; values, if any, fill templates.
func read(from fs.FS, values map[string]any) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	err := fs.WalkDir(from, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(from, path)
		if err != nil {
			return err
		}
		if values != nil {
			if content, err = render(path, content, values); err != nil {
				return err
			}
		}
		decoded, err := decode(content)
		if err != nil {
			return fmt.Errorf("decoding %s: %w", path, err)
		}
		objects = append(objects, decoded...)
		return nil
	})
	return objects, err
}

func render(name string, content []byte, values map[string]any) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(string(content))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, values)
	return out.Bytes(), err
}

func decode(content []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		var object unstructured.Unstructured
		err := documents.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			objects = append(objects, &object)
		}
	}
}

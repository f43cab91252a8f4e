// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/api/admission"
)

// ApplyPolicies makes the policies about custom kinds of a file of api/admission, with which a cluster begins
// and the test server does not. They are followed a moment later.
func ApplyPolicies(t testing.TB, c client.Client, file string) {
	t.Helper()
	content, err := admission.Custom.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		policy := &unstructured.Unstructured{}
		if err := documents.Decode(&policy.Object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		if err := c.Create(t.Context(), policy); client.IgnoreAlreadyExists(err) != nil {
			t.Fatal(err)
		}
	}
}

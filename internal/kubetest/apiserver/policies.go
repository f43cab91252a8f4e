// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/api/admission"
)

// ApplyPolicies makes the policies about custom kinds of a file of api/admission, with which a cluster begins
// and the test server does not. They are followed a moment later.
func ApplyPolicies(ctx context.Context, c client.Client, file string) error {
	content, err := admission.Custom.ReadFile(file)
	if err != nil {
		return err
	}
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		policy := &unstructured.Unstructured{}
		if err := documents.Decode(&policy.Object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading the policies of %s: %w", file, err)
		}
		if err := c.Create(ctx, policy); client.IgnoreAlreadyExists(err) != nil {
			return fmt.Errorf("making the policies of %s: %w", file, err)
		}
	}
}

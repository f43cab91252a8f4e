// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// annotationApplied holds the digest of what was last applied. It makes a field
// that is no longer wanted a difference, and keeps it one over a restart.
const annotationApplied = "slipway.dev/applied"

// intentOf is what server-side apply is sent: the object without what only the
// API server sets, and with its digest.
func intentOf(want client.Object) (*unstructured.Unstructured, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(want)
	if err != nil {
		return nil, fmt.Errorf("converting %s: %w", want.GetName(), err)
	}
	unstructured.RemoveNestedField(fields, "status")
	unstructured.RemoveNestedField(fields, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(fields, "spec", "template", "metadata", "creationTimestamp")
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", want.GetName(), err)
	}
	sum := sha256.Sum256(text)
	intent := &unstructured.Unstructured{Object: fields}
	intent.SetAnnotations(map[string]string{annotationApplied: hex.EncodeToString(sum[:8])})
	return intent, nil
}

// holds says that nothing needs to be applied: every field of the intent, its
// digest included, is in the live object. What others added is theirs.
func holds(live client.Object, intent *unstructured.Unstructured) (bool, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return false, fmt.Errorf("converting %s: %w", live.GetName(), err)
	}
	return within(intent.Object["metadata"], fields["metadata"]) && within(intent.Object["spec"], fields["spec"]), nil
}

// within says that all of part is in whole. An empty part is in anything, and a
// list may be longer than asked for: admission adds to lists.
func within(part, whole any) bool {
	switch part := part.(type) {
	case map[string]any:
		whole, _ := whole.(map[string]any)
		for key, value := range part {
			if !within(value, whole[key]) {
				return false
			}
		}
		return true
	case []any:
		whole, _ := whole.([]any)
		if len(part) > len(whole) {
			return false
		}
		for i := range part {
			if !within(part[i], whole[i]) {
				return false
			}
		}
		return true
	default:
		return equality.Semantic.DeepEqual(part, whole)
	}
}

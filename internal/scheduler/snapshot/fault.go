// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	kubejson "k8s.io/apimachinery/pkg/util/json"
)

// fault finds the field of an object that cannot be read, and why: decoders name the
// field for some kinds of values only. It reads the object again with one of its fields
// at a time, then with one field of the bad one, and so on.
func fault(text json.RawMessage, blank func() any) (string, error) {
	try := func(v any) error {
		alone, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return kubejson.Unmarshal(alone, blank())
	}
	var whole any
	if err := json.Unmarshal(text, &whole); err != nil {
		return "the object", err
	}
	field, err := narrow("", whole, try)
	if err == nil {
		err = errors.New("cannot be read")
	}
	if field == "" {
		field = "the object"
	}
	return field, err
}

// narrow down which part of a value, found at a path, cannot be read.
func narrow(path string, value any, try func(any) error) (string, error) {
	err := try(value)
	if err == nil {
		return "", nil
	}
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			at, cause := narrow(join(path, key), value[key], func(v any) error { return try(map[string]any{key: v}) })
			if cause != nil {
				return at, cause
			}
		}
	case []any:
		for i := range value {
			at, cause := narrow(fmt.Sprintf("%s[%d]", path, i), value[i], func(v any) error { return try([]any{v}) })
			if cause != nil {
				return at, cause
			}
		}
	}
	return path, err
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

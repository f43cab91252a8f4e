// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"
)

// check refuses what is no object, and, for a kind that the scheme knows, fields
// that the kind has not and values of another type.
func check(o Object, scheme *runtime.Scheme) error {
	for _, field := range []string{"apiVersion", "kind"} {
		if text, _ := o.Object[field].(string); text == "" {
			return o.fault(field, "is missing; every object has apiVersion, kind and metadata.name")
		}
	}
	metadata, _ := o.Object["metadata"].(map[string]any)
	if name, _ := metadata["name"].(string); name == "" {
		return o.fault("metadata.name", "is missing; give the %s a name", o.GetKind())
	}
	typed, err := scheme.New(o.GroupVersionKind())
	if err != nil {
		return nil //nolint:nilerr // an unknown kind is the API server's to check
	}
	return checkTyped(o, typed)
}

func checkTyped(o Object, typed any) error {
	content, err := json.Marshal(o.Object)
	if err != nil {
		return o.from.fault(0, "reading it: %w", err)
	}
	unknown, err := kjson.UnmarshalStrict(content, typed)
	if err != nil {
		path := culprit(o.Object, typed, err.Error())
		return o.fault(joinPath(path), "%s; see: slipway kubectl explain %s", wrongValue(valueAt(o.Object, path), err), explainable(o, path))
	}
	for _, err := range unknown {
		var field kjson.FieldError
		if errors.As(err, &field) {
			return o.fault(field.FieldPath(), "%s has no such field; see: slipway kubectl explain %s", o.GetKind(), explainable(o, splitPath(field.FieldPath())[:max(0, len(splitPath(field.FieldPath()))-1)]))
		}
	}
	return nil
}

// explainable is a path as "kubectl explain" takes it: without indexes.
func explainable(o Object, path []any) string {
	words := []string{strings.ToLower(o.GetKind())}
	for _, step := range path {
		if key, is := step.(string); is {
			words = append(words, key)
		}
	}
	return strings.Join(words, ".")
}

// culprit finds which field a decoder means that does not say: the deepest one
// whose absence changes the error.
func culprit(value any, typed any, text string) []any {
	return search(value, nil, func() bool {
		content, err := json.Marshal(value)
		if err != nil {
			return false
		}
		fresh := reflect.New(reflect.TypeOf(typed).Elem()).Interface()
		_, err = kjson.UnmarshalStrict(content, fresh)
		return err == nil || err.Error() != text
	})
}

// search empties one field after the other, deepest first, until the question
// is answered with yes, and puts each back.
func search(value any, path []any, changed func() bool) []any {
	try := func(step any, held any, set func(any)) []any {
		here := append(slices.Clone(path), step)
		if found := search(held, here, changed); found != nil {
			return found
		}
		set(nil)
		defer set(held)
		if changed() {
			return here
		}
		return nil
	}
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if found := try(key, v[key], func(to any) { v[key] = to }); found != nil {
				return found
			}
		}
	case []any:
		for i := range v {
			if found := try(i, v[i], func(to any) { v[i] = to }); found != nil {
				return found
			}
		}
	}
	return nil
}

func valueAt(value any, path []any) any {
	for _, step := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[fmt.Sprint(step)]
		case []any:
			value = v[step.(int)]
		}
	}
	return value
}

// wrongValue says what a field holds and what it should.
func wrongValue(value any, err error) string {
	held, _ := json.Marshal(value)
	if len(held) > 40 {
		held = append(held[:40], "…"...)
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return fmt.Sprintf("is %s, not %s", held, noun(mismatch.Type))
	}
	return fmt.Sprintf("is %s: %s", held, strings.TrimPrefix(err.Error(), "json: "))
}

func noun(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text; put it in quotes"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping of fields"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

func (o Object) fault(field, format string, args ...any) error {
	return o.from.fault(lineOf(child(o.node, splitPath(field)...)), field+": "+format, args...)
}

// Place puts file, document and, where the API server names a field, the line
// before what the API server says about the object. Other errors stay as they are.
func (o Object) Place(err error) error {
	var status apierrors.APIStatus
	line := lineOf(o.node)
	switch {
	case meta.IsNoMatchError(err):
		return o.from.fault(line, "%w", err)
	case err == nil, !errors.As(err, &status):
		return err
	}
	if details := status.Status().Details; details != nil {
		for _, cause := range details.Causes {
			if cause.Field != "" {
				line = lineOf(child(o.node, splitPath(cause.Field)...))
				break
			}
		}
	}
	return o.from.fault(line, "%w", err)
}

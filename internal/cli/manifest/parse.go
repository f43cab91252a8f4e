// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"regexp"
	"strconv"
	"strings"

	goyaml "go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// Object is one object of a manifest.
type Object struct {
	*unstructured.Unstructured
	from document
	node *goyaml.Node
}

// Parse reads every object of a file; lists are taken apart. Objects whose kind
// the scheme knows are checked against its type.
func Parse(file string, content []byte, scheme *runtime.Scheme) ([]Object, error) {
	var objects []Object
	for _, d := range split(file, content) {
		found, err := parseDocument(d)
		if err != nil {
			return nil, err
		}
		for _, object := range found {
			if err := check(object, scheme); err != nil {
				return nil, err
			}
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

func parseDocument(d document) ([]Object, error) {
	var root goyaml.Node
	if err := goyaml.Unmarshal(d.text, &root); err != nil {
		line, cause := syntaxError(err)
		return nil, d.fault(line, "is not YAML: %s; mind the indentation, colons and quotes there", cause)
	}
	converted, err := yaml.YAMLToJSONStrict(d.text)
	if err != nil {
		line, cause := syntaxError(err)
		return nil, d.fault(line, "%s; keep one of them", cause)
	}
	var value any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(converted, &value); err != nil {
		return nil, d.fault(0, "reading it: %w", err)
	}
	fields, is := value.(map[string]any)
	if !is {
		return nil, d.fault(1, "is no object; a manifest begins with apiVersion, kind and metadata")
	}
	return takeApart(Object{&unstructured.Unstructured{Object: fields}, d, content(&root)})
}

// takeApart returns the items of a List, or the object itself.
func takeApart(o Object) ([]Object, error) {
	items, is := o.Object["items"].([]any)
	if !is || !strings.HasSuffix(o.GetKind(), "List") {
		return []Object{o}, nil
	}
	var objects []Object
	for i, item := range items {
		at := child(o.node, "items", i)
		fields, is := item.(map[string]any)
		if !is {
			return nil, o.from.fault(lineOf(at), "items[%d]: is no object; a manifest has apiVersion, kind and metadata", i)
		}
		objects = append(objects, Object{&unstructured.Unstructured{Object: fields}, o.from, at})
	}
	return objects, nil
}

// yamlLine is how both YAML libraries say where they stopped.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntaxError takes the line out of an error of a YAML library; it is 0 when
// there is none.
func syntaxError(err error) (int, string) {
	text := strings.ReplaceAll(err.Error(), "\n  ", " ")
	for _, prefix := range []string{"error converting YAML to JSON: ", "yaml: ", "unmarshal errors: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	match := yamlLine.FindStringSubmatchIndex(text)
	if match == nil {
		return 0, text
	}
	line, _ := strconv.Atoi(text[match[2]:match[3]])
	return line, text[:match[0]] + text[match[1]:]
}

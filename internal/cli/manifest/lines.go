// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"strconv"
	"strings"

	goyaml "go.yaml.in/yaml/v3"
)

// content of a document node.
func content(root *goyaml.Node) *goyaml.Node {
	if root.Kind == goyaml.DocumentNode && len(root.Content) > 0 {
		return root.Content[0]
	}
	return root
}

// child follows keys (strings) and indexes (ints) and stops where the path
// leaves the document: the nearest line there is.
func child(node *goyaml.Node, path ...any) *goyaml.Node {
	for _, step := range path {
		next := below(node, step)
		if next == nil {
			return node
		}
		node = next
	}
	return node
}

func below(node *goyaml.Node, step any) *goyaml.Node {
	for node != nil && node.Kind == goyaml.AliasNode {
		node = node.Alias
	}
	if node == nil {
		return nil
	}
	switch key := step.(type) {
	case int:
		if node.Kind == goyaml.SequenceNode && key >= 0 && key < len(node.Content) {
			return node.Content[key]
		}
	case string:
		for i := 0; node.Kind == goyaml.MappingNode && i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == key {
				// The key's line is where the eye looks; the value may begin below it.
				value := *node.Content[i+1]
				value.Line = node.Content[i].Line
				return &value
			}
		}
	}
	return nil
}

func lineOf(node *goyaml.Node) int {
	if node == nil {
		return 0
	}
	return node.Line
}

// splitPath reads a field as the API server writes it:
// spec.containers[0].resources.limits[nvidia.com/gpu].
func splitPath(field string) []any {
	var path []any
	for field = strings.TrimPrefix(field, "."); field != ""; field = strings.TrimPrefix(field, ".") {
		if strings.HasPrefix(field, "[") {
			key, rest, _ := strings.Cut(field[1:], "]")
			path, field = append(path, step(key)), rest
			continue
		}
		end := strings.IndexAny(field, ".[")
		if end < 0 {
			end = len(field)
		}
		path, field = append(path, field[:end]), field[end:]
	}
	return path
}

func step(key string) any {
	if i, err := strconv.Atoi(key); err == nil {
		return i
	}
	return strings.Trim(key, `"`)
}

// joinPath is the reverse of splitPath.
func joinPath(path []any) string {
	var out strings.Builder
	for _, step := range path {
		switch key := step.(type) {
		case int:
			fmt.Fprintf(&out, "[%d]", key)
		case string:
			switch {
			case strings.ContainsAny(key, "./[]"):
				fmt.Fprintf(&out, "[%s]", key)
			case out.Len() > 0:
				out.WriteString("." + key)
			default:
				out.WriteString(key)
			}
		}
	}
	return out.String()
}

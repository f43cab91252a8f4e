// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
)

// Read reads every object of the files, in order; "-" is standard input. The
// objects are whole or there is an error: nothing need be undone.
func Read(files []string, stdin io.Reader, scheme *runtime.Scheme) ([]Object, error) {
	var objects []Object
	for _, file := range files {
		name, content, err := load(file, stdin)
		if err != nil {
			return nil, err
		}
		found, err := Parse(name, content, scheme)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: holds no object; a manifest has apiVersion, kind and metadata.name", name)
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

func load(file string, stdin io.Reader) (string, []byte, error) {
	if file == "-" {
		content, err := io.ReadAll(stdin)
		if err != nil {
			return "", nil, fmt.Errorf("reading standard input: %w", err)
		}
		return "standard input", content, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", nil, fmt.Errorf("reading a manifest: %w; name a file, or - for standard input", err)
	}
	return file, content, nil
}

// document is one YAML document and where it stands.
type document struct {
	file  string
	index int // from 1, as people count
	line  int // lines of the file before it
	text  []byte
}

// fault is an error at a line of the document, counted from 1 within it; 0 means
// that the line is not known.
func (d document) fault(line int, format string, args ...any) error {
	where := fmt.Sprintf("%s: document %d", d.file, d.index)
	if line > 0 {
		where += fmt.Sprintf(", line %d", d.line+line)
	}
	return fmt.Errorf(where+": "+format, args...)
}

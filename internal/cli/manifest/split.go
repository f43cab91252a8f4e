// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifest

import "bytes"

// split cuts a file at the lines "---". Documents that hold nothing but comments
// are left out and not counted.
func split(file string, content []byte) []document {
	var documents []document
	var text []byte
	start, line := 0, 0
	flush := func(next int) {
		if !blank(text) {
			documents = append(documents, document{file: file, index: len(documents) + 1, line: start, text: text})
		}
		text, start = nil, next
	}
	for each := range bytes.Lines(content) {
		line++
		if separates(each) {
			flush(line)
			continue
		}
		text = append(text, each...)
	}
	flush(line)
	return documents
}

// separates: a comment may follow the dashes, content may not.
func separates(line []byte) bool {
	after, found := bytes.CutPrefix(line, []byte("---"))
	after = bytes.TrimSpace(after)
	return found && (len(after) == 0 || after[0] == '#')
}

func blank(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

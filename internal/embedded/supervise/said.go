// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"io"
	"os"
	"regexp"
	"strings"

	"slipway.dev/slipway/internal/clip"
)

// How much of a log an error shows.
const (
	saidLines = 10
	saidBytes = 500 // of a line
	saidRead  = 256 << 10
)

// telling are the lines with which the programs that we start say that something
// is wrong: klog's of errors and fatal ones, containerd's, etcd's, those of Go's
// runtime, which a trace of many lines follows, and our own last one.
var telling = regexp.MustCompile(`^[EF]\d{4} |\blevel=(error|fatal|panic)\b|"level":"(error|fatal|panic)"|^(panic|fatal error|slipway): `)

// said are the last lines that tell of an error among those that a log got from
// begin on, or the last of all if none does; each indented, after a line break.
// What cannot be read says nothing.
func said(path string, begin int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil || end <= begin {
		return ""
	}
	begin = max(begin, end-saidRead)
	text, err := io.ReadAll(io.NewSectionReader(f, begin, end-begin))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if tell := matching(lines, telling); len(tell) > 0 {
		lines = tell
	}
	var quoted strings.Builder
	for _, line := range lines[max(0, len(lines)-saidLines):] {
		quoted.WriteString("\n  " + clip.Text(strings.TrimSpace(line), saidBytes))
	}
	return quoted.String()
}

func matching(lines []string, pattern *regexp.Regexp) (found []string) {
	for _, line := range lines {
		if pattern.MatchString(line) {
			found = append(found, line)
		}
	}
	return found
}

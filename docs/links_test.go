// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var link = regexp.MustCompile(`\]\(([^()\s]+)\)`)

// links lists where a page's relative links lead, without anchors.
func links(page string) []string {
	var found []string
	for _, match := range link.FindAllStringSubmatch(page, -1) {
		target, _, _ := strings.Cut(match[1], "#")
		if target != "" && !strings.Contains(target, "://") {
			found = append(found, target)
		}
	}
	return found
}

func TestLinks(t *testing.T) {
	for path, text := range pages(t) {
		for _, target := range links(text) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), target)); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", path, target)
			}
		}
	}
}

func TestLinksOfAPage(t *testing.T) {
	page := "[a](b.md), [c](../d/e.md#f) [g](#h)\n[i](https://j.k/l.md) (m.md)\n"
	if diff := cmp.Diff([]string{"b.md", "../d/e.md"}, links(page)); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}

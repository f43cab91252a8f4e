// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package clip shortens texts to the limits that the API server and we set for
// what people read: notes of events, messages of conditions. The limits count
// bytes, and a text that is cut in the middle of a character is refused.
package clip

import "strings"

// more says that something is missing.
const more = "…"

// MaxNote is the API server's limit for an event's note, in bytes.
const MaxNote = 1024

// Note of an event that the API server takes.
func Note(text string) string { return Text(text, MaxNote) }

// Text of at most so many bytes, which are more than a few: all of it, or its
// beginning with an ellipsis.
func Text(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len(more)], "") + more
}

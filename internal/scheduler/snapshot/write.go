// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Write the snapshot as a List in JSON, an object a line, trimmed to what decisions are
// made from.
func (s *Snapshot) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"taken\":%q,\"items\":[", s.Taken.UTC().Format(time.RFC3339))
	separator := "\n"
	for o := range s.Objects() {
		line, err := json.Marshal(Trim(o))
		if err != nil {
			return fmt.Errorf("encoding %T %s: %w", o, o.GetName(), err)
		}
		if _, err := fmt.Fprintf(out, "%s%s", separator, line); err != nil {
			return err
		}
		separator = ",\n"
	}
	fmt.Fprint(out, "\n]}\n") // Flush tells of its error, too
	return out.Flush()
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// maxGangName is what fits into the value of the label that pods carry.
const maxGangName = 63

// GangName is the name of the gang of a job: its kind in lower case and its
// name, the latter shortened with a hash where the two would not fit a label.
func GangName(kind, job string) string {
	name := strings.ToLower(kind) + "-" + job
	if len(name) <= maxGangName {
		return name
	}
	hash := fmt.Sprintf("-%x", sha256.Sum256([]byte(job)))[:9]
	return strings.TrimRight(name[:maxGangName-len(hash)], "-.") + hash
}

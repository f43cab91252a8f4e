// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"sigs.k8s.io/knftables"
)

// tableName is the name of the only nftables table that this package touches.
const tableName = "slipway-policy"

// nameLengthMax leaves room below the kernel's limit of 256 bytes.
const nameLengthMax = 200

// digest names something by its content. Parts are separated by a byte that no
// Kubernetes name or selector contains, so different parts give different input.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:20])
}

// policyChainName keeps the policy readable in the output of nft and stays
// unique where the readable part is cut. Names of Kubernetes objects contain
// only characters that nft allows in identifiers.
func policyChainName(d direction, namespace, name string) string {
	return truncate(string(d)+"-policy-"+digest(namespace, name)+"-"+namespace+"/"+name, nameLengthMax)
}

func comment(text string) *string {
	return new(truncate(text, knftables.CommentLengthMax))
}

func truncate(text string, limit int) string {
	return text[:min(len(text), limit)]
}

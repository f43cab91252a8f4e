// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rbac holds the roles that Slipway's own processes run with: what they
// may do, written down, and nothing more; and what people may do with our kinds
// who have Kubernetes' roles view, edit and admin. They are the same in an
// embedded cluster and in somebody else's.
package rbac

import "embed"

// Files are the roles, in YAML.
//
//go:embed *.yaml
var Files embed.FS

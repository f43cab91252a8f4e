// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admission holds what the API server itself does to people's objects when
// they are made or changed: it holds Jobs back that wait in a queue, and writes down
// whose a job is. They are policies, evaluated inside the API server, so that no
// request waits for a process of ours; they are the same in an embedded cluster
// and in somebody else's.
package admission

import "embed"

// Files are the policies and their bindings, in YAML.
//
//go:embed *.yaml
var Files embed.FS

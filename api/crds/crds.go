// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crds holds the CustomResourceDefinitions of every kind that Slipway
// serves, its own and other people's. The YAML files are generated from Go
// types ("make generate") and never edited.
package crds

import "embed"

// Files are the CustomResourceDefinitions, one YAML document a file.
//
//go:embed *.yaml
var Files embed.FS

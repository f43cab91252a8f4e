// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package manifest reads the manifests that people have and says where they are
// wrong: file, document, line and field.
//
// It splits and reads YAML exactly as kubectl does, so that a file means the
// same to both. Objects of kinds whose Go types are known are checked here,
// before anything is sent; what only the API server can know is traced back to
// its line by Place.
package manifest

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package house holds the rules of this repository as tests: what may import
// what, and what every Go file must look like. It exports nothing.
//
//	law_test.go           which room may know which ("a room knows only the rooms below it")
//	links_test.go         what cmd/slipway must not be linked with
//	source_test.go        rules that one file alone keeps or breaks
//	packages_test.go      package comments, import aliases
//	dependencies_test.go  docs/dependencies.md against go.mod
//
// The rules are tables and each failure repeats the rule in words. A rule that
// stands in the way of something good is changed here, in the same commit, with
// its reason. Each checker is also tested on a few lines that break its rule,
// so that none can pass by looking at nothing.
package house

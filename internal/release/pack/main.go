// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Pack appends the embedded Kubernetes to the program slipway, which makes the
// one file that is a release. "make release" runs it:
//
//	go run ./internal/release/pack -program bin/slipway -dir build/kube -o dist/slipway
package main

import (
	"flag"
	"fmt"
	"os"

	"slipway.dev/slipway/internal/release"
)

func main() {
	program := flag.String("program", "", "the program slipway")
	dir := flag.String("dir", "", "directory with slipway-kube and its helpers")
	out := flag.String("o", "", "file to write")
	flag.Parse()
	if *program == "" || *dir == "" || *out == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: pack -program FILE -dir DIRECTORY -o FILE")
		os.Exit(2)
	}
	if err := release.Pack(*out, *program, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

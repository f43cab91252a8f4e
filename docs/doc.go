// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package docs is the folder of the pages that people read. It exports nothing;
// its tests hold the pages, and the READMEs, to the program: every command line
// of slipway that a page shows is one that the program takes, and every link
// leads somewhere.
package docs

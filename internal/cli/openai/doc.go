// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package openai is a client of the OpenAI API's two text endpoints,
// /chat/completions and /completions, for "slipway chat". It streams, and it
// says in one line what a server answered instead of text.
//
// The format is that of https://platform.openai.com/docs/api-reference as
// servers really write it: errors with and without the wrapper, answers that
// are not streamed though asked for, comments within streams.
package openai

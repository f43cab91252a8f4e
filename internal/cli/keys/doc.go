// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package keys makes the keys with which clients call models at the front door.
//
// A key is a token of a ServiceAccount for the audience slipway.dev: the front
// door asks Kubernetes whose it is and whether that account may use the model,
// and the API server itself does not accept it. So there is nothing to store:
// a key ends with its time, or with its account.
package keys

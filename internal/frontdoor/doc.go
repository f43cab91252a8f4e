// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package frontdoor is the one endpoint behind which all Models answer, in the
// OpenAI API: it finds out whose key a request carries, whether that key may
// use the model, which replica has the least to do, and passes the answer
// through as it comes.
//
//	door.go     what answers which path (models.go: /v1/models)
//	keys.go     a bearer token is a ServiceAccount's, by TokenReview (token.go:
//	            what it says of itself; review.go: how many are asked at a time)
//	access.go   Kubernetes RBAC decides: verb use on models.slipway.dev
//	field.go    finds the model's name in a body without decoding it (form.go: in
//	            one with files)
//	table.go    Models and their ready replicas, from watches (watch.go)
//	pick.go     which replica, a pure function
//	relay.go    there and back; events.go and whole.go for a replica that dies
//	server.go   listens, and drains before it goes
//
// # What the front door promises
//
//   - A body is neither decoded nor encoded again. Fields that nobody knows and
//     the form of numbers survive; only the name of the model is overwritten,
//     where a namespace was in front of it.
//   - What a replica sends is sent on at once. When a replica dies in a stream of
//     events, the client reads an error and [DONE]. A stream without length and
//     chunks, whose end looks the same either way, is known to be broken only
//     where it must end with [DONE]: at paths that end with /completions.
//   - A request is tried at another replica only if it reached none: the engine
//     may have begun to answer whatever was sent to it, and clients retry too.
//   - The client's key never reaches a replica, and no replica sets what holds
//     for the whole origin, such as cookies.
//   - When the client goes away, so does the request to the replica.
//   - The front door keeps nothing of its own. All that it remembers is bounded,
//     and for at most ten seconds; so are the bodies and the questions to the API
//     server that are under way at a time.
package frontdoor

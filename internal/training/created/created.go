// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package created is the message of the condition Created of a training job.
// Clients of these kinds show it, so that it is where the engine says why a job
// waits; our command line reads it back. Both ends are here.
package created

import "strings"

const (
	is    = " is created."
	waits = " It waits: "
)

// Message says that a job of a kind is created and why it waits; an empty why
// says that it does not.
func Message(kind, name, why string) string {
	message := kind + " " + name + is
	if why != "" {
		message += waits + why
	}
	return message
}

// Why reads the reason to wait from a message; empty when there is none.
func Why(message string) string {
	_, why, _ := strings.Cut(message, is+waits)
	return why
}

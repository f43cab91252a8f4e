// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package control is how the command line talks to the supervisor of a cluster:
// HTTP on a unix socket that only root may open.
package control

import (
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/supervise"
)

// Status is everything that "slipway status" shows.
type Status struct {
	// Ready says that every step of the boot is done.
	Ready bool `json:"ready"`
	// Stopping says that it is going down.
	Stopping bool `json:"stopping,omitempty"`
	// PID of the supervisor, and when it started.
	PID     int              `json:"pid"`
	Started time.Time        `json:"started"`
	Cluster *cluster.Cluster `json:"cluster"`
	// Addresses by what answers there.
	Addresses map[string]string `json:"addresses"`
	Versions  map[string]string `json:"versions"`
	Processes []Process         `json:"processes"`
	Nodes     []Node            `json:"nodes"`
	Phases    []Phase           `json:"phases"`
	// OtherBytes is the memory of shims and pods.
	OtherBytes int64 `json:"otherBytes"`
	// TotalBytes is the memory of all processes together.
	TotalBytes int64 `json:"totalBytes"`
}

// Process is a supervised process and its memory: its proportional set size,
// in which pages shared by n processes count 1/n for each.
type Process struct {
	supervise.State
	Bytes int64 `json:"bytes"`
}

// Phase is one step of the boot.
type Phase struct {
	Name string `json:"name"`
	// Begin and Took are measured from the start of the supervisor.
	Begin time.Duration `json:"beginNanoseconds"`
	Took  time.Duration `json:"tookNanoseconds"`
	Done  bool          `json:"done"`
	Error string        `json:"error,omitempty"`
}

// Node is a node as the supervisor and the API server know it.
type Node struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	// State of its processes is "running" or "killed".
	State string `json:"state"`
	// Ready is what the API server says of the node's condition Ready: "True",
	// "False" or "Unknown". Why says why it is not True.
	Ready string `json:"ready"`
	Why   string `json:"why,omitempty"`
}

// Supervisor is what the socket serves.
type Supervisor interface {
	Status() Status
	// Watch streams the phases of the boot as they begin and end; the channel is
	// closed when the boot is over.
	Watch() <-chan Phase
	Down()
	Nodes() []Node
	AddNode(name string) error
	RemoveNode(name string) error
	KillNode(name string) error
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "fmt"

// refuse a queue, for a reason that gangs are told that wait for it.
func (p *Picture) refuse(name string, why error) error {
	if p.refused[name] != why.Error() {
		p.refused[name] = why.Error()
		p.changes++
	}
	return why
}

// forgive a queue that is gone.
func (p *Picture) forgive(name string) {
	if p.refused[name] != "" {
		delete(p.refused, name)
		p.changes++
	}
}

// NoQueue is why no gang of a queue starts, whatever room there is: the queue, or one above
// it, was refused or not told of. It is nil where gangs may start.
func (p *Picture) NoQueue(name string) *Reason {
	q := p.queues[name]
	if q == nil {
		q = &queue{Queue: Queue{Name: name}, parent: p.root}
	}
	return p.noQueue(q)
}

func (p *Picture) noQueue(q *queue) *Reason {
	name, missing := q.missing()
	if !missing {
		return nil
	}
	if why := p.refused[name]; why != "" {
		return &Reason{Code: NoQueue, Text: "project " + name + " cannot be used: " + why}
	}
	for below := range q.chain {
		if below.Parent == name {
			return &Reason{Code: NoQueue, Text: fmt.Sprintf("project %s names the parent %s, and there is no such project", below.Name, name),
				Remedy: fmt.Sprintf("make it, or give %s another parent: slipway kubectl edit project %[1]s", below.Name)}
		}
	}
	return &Reason{Code: NoQueue, Text: "there is no project " + name, Remedy: "make it, or name another in the label slipway.dev/project"}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/simulate"
)

// copy that can be changed while the original stays.
func (c *Cluster) copy() *Cluster {
	next := *c
	next.input.Nodes = slices.Clone(c.input.Nodes)
	next.input.Queues = slices.Clone(c.input.Queues)
	next.input.Pods = slices.Clone(c.input.Pods)
	next.input.Jobs = slices.Clone(c.input.Jobs)
	return &next
}

// AddNodes like one that is there or, when none is named, like the one of which there
// are most: empty, well, and with no other labels than its, its host name apart.
func (c *Cluster) AddNodes(count int, like string) (*Cluster, error) {
	model, err := c.model(like)
	if err != nil {
		return nil, err
	}
	next := c.copy()
	for i := range count {
		n := model
		n.Name = fmt.Sprintf("new-%d", i+1)
		n.Labels = maps.Clone(model.Labels)
		if _, has := n.Labels[corev1.LabelHostname]; has {
			n.Labels[corev1.LabelHostname] = n.Name
		}
		n.Cordoned, n.Ready, n.Taints = false, true, slices.DeleteFunc(slices.Clone(model.Taints), placement.OfNode)
		next.input.Nodes = append(next.input.Nodes, n)
	}
	return next, nil
}

func (c *Cluster) model(like string) (placement.Node, error) {
	if len(c.input.Nodes) == 0 {
		return placement.Node{}, errors.New("the cluster has no nodes that others could be like")
	}
	if like != "" {
		i := slices.IndexFunc(c.input.Nodes, func(n placement.Node) bool { return n.Name == like })
		if i < 0 {
			return placement.Node{}, fmt.Errorf("--like: there is no node %s; name one that slipway top nodes shows", like)
		}
		return c.input.Nodes[i], nil
	}
	counts := map[string]int{}
	for _, n := range c.input.Nodes {
		counts[sizeOf(&n)]++
	}
	return slices.MaxFunc(c.input.Nodes, func(a, b placement.Node) int {
		return cmp.Or(cmp.Compare(counts[sizeOf(&a)], counts[sizeOf(&b)]), cmp.Compare(b.Name, a.Name))
	}), nil
}

// sizeOf a node: the same for those that have as much of everything.
func sizeOf(n *placement.Node) string { return fmt.Sprint(n.Kind, n.Allocatable) }

// RemoveNode as if it were deleted now.
func (c *Cluster) RemoveNode(name string) (*Cluster, error) {
	i := slices.IndexFunc(c.input.Nodes, func(n placement.Node) bool { return n.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("--remove-node: there is no node %s; name one that slipway top nodes shows", name)
	}
	next := c.copy()
	next.input.Changes = append(slices.Clone(c.input.Changes), simulate.Change{At: c.input.Start, DropNodes: []string{name}})
	return next, nil
}

// SetQuota of a project: PROJECT:RESOURCE=GUARANTEED[/LIMIT], the resource as
// RESOURCE@KIND for nodes of one kind. Without a limit the one that there is stays.
func (c *Cluster) SetQuota(text string) (*Cluster, error) {
	project, rest, colon := strings.Cut(text, ":")
	name, amounts, equals := strings.Cut(rest, "=")
	if !colon || !equals || project == "" || name == "" {
		return nil, fmt.Errorf("--quota is %q; write PROJECT:RESOURCE=GUARANTEED or PROJECT:RESOURCE=GUARANTEED/LIMIT, such as speech:nvidia.com/gpu=16/48", text)
	}
	name, kind, _ := strings.Cut(name, "@")
	i := slices.IndexFunc(c.input.Queues, func(q placement.Queue) bool { return q.Name == project })
	if why := c.RefusedProjects[project]; why != "" {
		return nil, fmt.Errorf("--quota %s: project %s cannot be used: %s", text, project, why)
	}
	if i < 0 {
		return nil, fmt.Errorf("--quota %s: there is no project %s; name one that slipway queue shows", text, project)
	}
	if err := c.has(name, kind); err != nil {
		return nil, fmt.Errorf("--quota %s: %w", text, err)
	}
	next := c.copy()
	q := &next.input.Queues[i]
	q.Quota = slices.Clone(q.Quota)
	at := slices.IndexFunc(q.Quota, func(q placement.Quota) bool { return q.Resource == name && q.Kind == kind })
	if at < 0 {
		at = len(q.Quota)
		q.Quota = append(q.Quota, placement.Quota{Resource: name, Kind: kind, Limit: placement.Unlimited})
	}
	guaranteed, limit, limited := strings.Cut(amounts, "/")
	var err error
	if q.Quota[at].Guaranteed, err = quantity(name, guaranteed); err != nil {
		return nil, fmt.Errorf("--quota %s: %w", text, err)
	}
	if limited {
		if q.Quota[at].Limit, err = quantity(name, limit); err != nil {
			return nil, fmt.Errorf("--quota %s: %w", text, err)
		}
	} else if q.Quota[at].Guaranteed > q.Quota[at].Limit {
		return nil, fmt.Errorf("--quota %s: guarantees more than the limit of project %s, %s, which stays as it is; write another one behind it, %[1]s/%[4]s",
			text, project, placement.Format(name, q.Quota[at].Limit), guaranteed)
	}
	return next, nil
}

// has a resource on any node, or on one of a kind if that is named, or a quota of it; or says what
// there is.
func (c *Cluster) has(name, kind string) error {
	resources, kinds := map[string]bool{}, map[string]bool{}
	for _, n := range c.input.Nodes {
		kinds[n.Kind] = true
		for r := range n.Allocatable {
			resources[r] = true
		}
	}
	for _, q := range c.input.Queues {
		for _, of := range q.Quota {
			resources[of.Resource], kinds[of.Kind] = true, true
		}
	}
	delete(kinds, "")
	switch {
	case !resources[name]:
		return fmt.Errorf("the cluster has no resource %q; name one of %s", name, strings.Join(slices.Sorted(maps.Keys(resources)), ", "))
	case kind == "" || kinds[kind]:
		return nil
	case len(kinds) == 0:
		return fmt.Errorf("the cluster has nodes of no kinds; leave @%s out", kind)
	}
	return fmt.Errorf("the cluster has no nodes of kind %q; name one of %s", kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
}

// QuotaOf a project, as SetQuota names it: PROJECT:RESOURCE[@KIND].
func QuotaOf(project string, q *slipwayv1.Quota) string {
	name := project + ":" + string(q.Resource)
	if q.Kind != "" {
		name += "@" + q.Kind
	}
	return name
}

// quantity of a resource as placement counts it: cores in thousandths.
func quantity(name, text string) (int64, error) {
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no quantity; write one such as 8, 500m or 64Gi", text)
	}
	if name == string(corev1.ResourceCPU) {
		return q.MilliValue(), nil
	}
	return q.Value(), nil
}

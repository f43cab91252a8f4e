// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// server of nodes in pages. It refuses what is named in refuse, with the error there,
// at the page that begins with that node.
type server struct {
	client.Reader
	nodes  int
	asked  []string
	refuse map[string]error
}

func (s *server) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	nodes, is := list.(*corev1.NodeList)
	if !is {
		return s.refuse[fmt.Sprintf("%T", list)]
	}
	o := (&client.ListOptions{}).ApplyOptions(options)
	s.asked = append(s.asked, fmt.Sprintf("%d from %q", o.Limit, o.Continue))
	if err := s.refuse[o.Continue]; err != nil {
		return err
	}
	from, _ := strconv.Atoi(o.Continue)
	to := s.nodes
	if o.Limit > 0 {
		to = min(to, from+int(o.Limit))
	}
	for i := from; i < to; i++ {
		nodes.Items = append(nodes.Items, corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(i)}, Spec: corev1.NodeSpec{ProviderID: "x"}})
	}
	if to < s.nodes {
		nodes.Continue = strconv.Itoa(to)
	}
	return nil
}

func TestFetchPages(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old")
	for name, c := range map[string]struct {
		server server
		asked  []string
	}{
		"one page":            {server{nodes: 3}, []string{`500 from ""`}},
		"several":             {server{nodes: 1100}, []string{`500 from ""`, `500 from "500"`, `500 from "1000"`}},
		"one comes too late":  {server{nodes: 1100, refuse: map[string]error{"500": expired}}, []string{`500 from ""`, `500 from "500"`, `0 from ""`}},
		"nodes to begin with": {server{nodes: 0}, []string{`500 from ""`}},
	} {
		s, err := Fetch(t.Context(), &c.server, time.Time{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.asked, c.server.asked); diff != "" {
			t.Errorf("%s: asked for (-want +got):\n%s", name, diff)
		}
		seen := map[string]bool{}
		for _, n := range s.Nodes {
			seen[n.Name] = true
		}
		if len(s.Nodes) != c.server.nodes || len(seen) != c.server.nodes {
			t.Errorf("%s: got %d nodes, %d of them different; want %d", name, len(s.Nodes), len(seen), c.server.nodes)
		}
		if slices.ContainsFunc(s.Nodes, func(n *corev1.Node) bool { return n.Spec.ProviderID != "" }) {
			t.Errorf("%s: nodes were not trimmed", name)
		}
	}
}

func TestFetchFails(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
	_, err := Fetch(t.Context(), &server{refuse: map[string]error{"*v1.PodList": forbidden}}, time.Time{})
	var denied *ForbiddenError
	if !errors.As(err, &denied) || denied.Resource != "pods" {
		t.Errorf("got %v, want that pods may not be listed", err)
	}
	broken := errors.New("connection refused")
	if _, err := Fetch(t.Context(), &server{refuse: map[string]error{"": broken}}, time.Time{}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

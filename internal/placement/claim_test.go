// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClaimsTakeWhatTheyRequest and nothing else: no place among pods, no peer of anybody,
// and once with what their gang has reserved.
func TestClaimsTakeWhatTheyRequest(t *testing.T) {
	p := New()
	p.SetNode(Node{Name: "n", Labels: map[string]string{"host": "n"}, Ready: true, Allocatable: Resources{"pods": 3, "a/gpu": 3, "a/gpu where fast": 2}})
	gang := func(key string, apart ...PeerTerm) Gang {
		return Gang{Key: key, Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"a/gpu": 1, "a/gpu where fast": 1}, Apart: apart}}}}
	}
	if err := p.SetGang(gang("a")); err != nil {
		t.Fatal(err)
	}
	p.Decide()
	p.Bind(Pod{Key: "own", Node: "n", Gang: "a", Set: "w", Requests: Resources{"a/gpu": 1}, Claim: true})
	p.Bind(Pod{Key: "other", Node: "n", Requests: Resources{"a/gpu": 1}, Claim: true})
	want := Holding{Taken: Resources{"pods": 1, "a/gpu": 2, "a/gpu where fast": 1}, Gangs: []string{"a"}}
	if diff := cmp.Diff(want, p.Holding("n")); diff != "" {
		t.Error(diff)
	}
	alone := PeerTerm{Peers: Peers{Wherever: true}, Key: "host"}
	if err := p.SetGang(gang("b", alone)); err != nil {
		t.Fatal(err)
	}
	if v := p.Decide(); len(v) != 1 || v[0].State == Placed {
		t.Errorf("b is apart from all pods, and there is one: %+v", v)
	}
	p.DeleteGang("a")
	p.Unbind("own")
	if v := p.Decide(); len(v) != 1 || v[0].State != Placed {
		t.Errorf("a claim is no pod: %+v", v)
	}
}

// TestResourcesBesideOthers are said where they lack, and not where somebody asks.
func TestResourcesBesideOthers(t *testing.T) {
	p := New()
	p.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"pods": 3, "a/gpu": 3, "a/gpu where fast": 1}})
	if err := p.SetGang(Gang{Key: "g", Sets: []PodSet{{Name: "w", Count: 2, Shape: Shape{Requests: Resources{"a/gpu": 1, "a/gpu where fast": 1}}}}}); err != nil {
		t.Fatal(err)
	}
	v := p.Decide()
	const want = "needs 2 pods of 1 a/gpu each at once; 1 fits on the empty cluster"
	if len(v) != 1 || !strings.HasPrefix(v[0].Reason.String(), want) {
		t.Errorf("got %+v, want %q", v, want)
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// TestStories runs testdata/*.txt. A story is blocks of commands, each followed
// by "----" and what they answer; see storyteller for the commands.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding stories: %v, %d files", err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runStory(t, file) })
	}
}

func runStory(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	teller := &storyteller{t: t, p: New()}
	var out []string
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		commands, _, asks := strings.Cut(block, "----")
		answer := teller.tell(commands)
		if asks {
			block = commands + "----\n" + answer
		} else if answer != "" {
			t.Errorf("nothing is expected of:\n%s\nbut it answers:\n%s", commands, answer)
		}
		out = append(out, strings.TrimSpace(block))
	}
	told := strings.Join(out, "\n\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(told), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(text), told); diff != "" && !*update {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// storyteller carries out commands:
//
//	node NAME [kind=KIND] [cpu=4] [memory=8Gi] [gpu=8] [label.KEY=VALUE] [taint=KEY=VALUE:EFFECT[@SINCE]] [cordoned] [notready]
//	gone NODE
//	queue NAME [parent=QUEUE] [priority=0] [weight=1] [gpu=GUARANTEED..LIMIT] [gpu@KIND=..LIMIT]
//	closed QUEUE
//	pod KEY NODE [gang=KEY] [rank=SET/0] [cpu=1] [port=80] [label.KEY=VALUE] [apart=KEY/LABEL:VALUE] [leaving]
//	ended POD
//	gang KEY [queue=QUEUE] [user=USER] [kind=KIND] [limit=SECONDS] [promised=1] [started=SECONDS] [protected=SECONDS] [checkpointed=SECONDS] [priority=1] [created=1] [waits] [SET@NODE*2+NODE*1] SET=COUNT[,optional=1][,cpu=1][,required=KEY][,preferred=KEY][,slice=KEY*SIZE][,spread][,select.KEY=VALUE][,in.KEY=V|V][,like.KEY=VALUE][,tolerate=KEY[@SECONDS]][,port=80][,label.KEY=VALUE][,near=KEY/LABEL:VALUE][,apart=...][,even=...@SKEW]...
//	deleted GANG
//	levels KEY...
//	lease SECONDS
//	time SECONDS
//	plan LIMIT
//	settle
//	evict LIMIT
//	decide
//	next
//	refresh LIMIT
type storyteller struct {
	t *testing.T
	p *Picture
}

func (s *storyteller) tell(commands string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(commands, "\n") {
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			for _, v := range s.do(words[0], words[1:]) {
				fmt.Fprintln(&b, describe(v))
			}
			if words[0] == "plan" || words[0] == "settle" {
				fmt.Fprint(&b, s.promises())
			}
			if at, is := s.p.NextLoss(); words[0] == "next" && is {
				fmt.Fprintln(&b, "loses a place at", at)
			}
			if at, is := s.p.NextRight(); words[0] == "next" && is {
				fmt.Fprintln(&b, "somebody has a right at", at)
			}
			if at, is := s.p.NextDue(); words[0] == "next" && is {
				fmt.Fprintln(&b, "a promise is due or overdue at", at)
			}
			if err := s.tellOf(words[0], words[1:]); err != nil {
				fmt.Fprintln(&b, "refused:", err)
			}
		}
	}
	return b.String()
}

// promises in the order of their gangs' names.
func (s *storyteller) promises() string {
	var b strings.Builder
	for _, key := range sortedKeys(s.p.gangs) {
		if start, promised := s.p.PlannedStart(key); promised {
			fmt.Fprintf(&b, "%s starts at %d", key, start.At)
			if len(start.After) > 0 {
				fmt.Fprintf(&b, " after %s", strings.Join(start.After, ", "))
			}
			fmt.Fprintf(&b, " (%.0f %%)\n", 100*start.Confidence)
		}
	}
	return b.String()
}

// tellOf what may be refused.
func (s *storyteller) tellOf(verb string, args []string) error {
	switch verb {
	case "gang":
		return s.p.SetGang(s.gang(args))
	case "queue":
		return s.p.SetQueue(s.queue(args))
	}
	return nil
}

func (s *storyteller) queue(args []string) Queue {
	q := Queue{Name: args[0], Weight: 1}
	for _, arg := range args[1:] {
		switch key, value, _ := strings.Cut(arg, "="); key {
		case "parent":
			q.Parent = value
		case "priority":
			q.Priority = int32(s.number(value))
		case "weight":
			q.Weight = s.number(value)
		default:
			q.Quota = append(q.Quota, s.quota(key, value))
		}
	}
	return q
}

func (s *storyteller) quota(key, value string) Quota {
	resource, kind, _ := strings.Cut(key, "@")
	guaranteed, limit, _ := strings.Cut(value, "..")
	q := Quota{Kind: kind, Limit: Unlimited}
	for _, part := range []struct {
		text string
		to   *int64
	}{{guaranteed, &q.Guaranteed}, {limit, &q.Limit}} {
		if part.text == "" {
			part.text = "0"
			part.to = new(int64)
		}
		r := Resources{}
		s.resource(r, resource, part.text)
		for name, n := range r {
			q.Resource, *part.to = name, n
		}
	}
	return q
}

func (s *storyteller) do(verb string, args []string) []Verdict {
	switch verb {
	case "node":
		s.p.SetNode(s.node(args))
	case "gone":
		s.p.DeleteNode(args[0])
	case "pod":
		s.p.Bind(s.pod(args))
	case "ended":
		s.p.Unbind(args[0])
	case "gang", "queue", "next":
	case "closed":
		s.p.DeleteQueue(args[0])
	case "deleted":
		s.p.DeleteGang(args[0])
	case "levels":
		s.p.Levels = args
	case "lease":
		s.p.Lease = s.number(args[0])
	case "time":
		s.p.Elapse(s.number(args[0]))
	case "plan":
		s.p.Plan(int(s.number(args[0])))
	case "settle":
		return s.p.Settle()
	case "evict":
		return s.p.Evict(int(s.number(args[0])))
	case "decide":
		return s.p.Decide()
	case "refresh":
		news, _ := s.p.Refresh(int(s.number(args[0])))
		return news
	default:
		s.t.Fatalf("unknown command %q", verb)
	}
	return nil
}

func describe(v Verdict) string {
	line := fmt.Sprintf("%s %s", v.Gang, v.State)
	for _, set := range v.Placement {
		line += " " + set.Set + "@"
		for i, slot := range set.Slots {
			if i > 0 {
				line += "+"
			}
			line += fmt.Sprintf("%s*%d", slot.Node, slot.Count)
		}
	}
	if len(v.LentBy) > 0 {
		line += ", lent by " + strings.Join(v.LentBy, ", ")
	}
	if v.Reason != nil {
		line += fmt.Sprintf("\n  %s: %s", v.Reason.Code, v.Reason)
	}
	return line
}

func (s *storyteller) node(args []string) Node {
	n := Node{Name: args[0], Ready: true, Labels: map[string]string{}, Allocatable: Resources{"pods": 110}}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		label, isLabel := strings.CutPrefix(key, "label.")
		switch {
		case key == "cordoned":
			n.Cordoned = true
		case key == "kind":
			n.Kind = value
		case key == "notready":
			n.Ready = false
			n.Taints = append(n.Taints, Taint{Key: "node.kubernetes.io/unreachable", Effect: NoExecute})
		case key == "taint":
			taint, effect, _ := strings.Cut(value, ":")
			key, value, _ := strings.Cut(taint, "=")
			effect, since, timed := strings.Cut(effect, "@")
			n.Taints = append(n.Taints, Taint{Key: key, Value: value, Effect: effect})
			if timed {
				n.Taints[len(n.Taints)-1].Since = s.number(since)
			}
		case isLabel:
			n.Labels[label] = value
		default:
			s.resource(n.Allocatable, key, value)
		}
	}
	return n
}

func (s *storyteller) pod(args []string) Pod {
	pod := Pod{Key: args[0], Node: args[1], Requests: Resources{}}
	for _, arg := range args[2:] {
		switch key, value, _ := strings.Cut(arg, "="); key {
		case "gang":
			pod.Gang = value
		case "rank":
			set, rank, _ := strings.Cut(value, "/")
			pod.Set, pod.Rank = set, int32(s.number(rank))
		case "namespace":
			pod.Namespace = value
		case "leaving":
			pod.Leaving = true
		case "apart":
			var shape Shape
			s.tie(&shape, key, value, pod.Namespace)
			pod.Apart = shape.Apart
		case "port":
			pod.HostPorts = append(pod.HostPorts, HostPort{Port: int32(s.number(value)), Protocol: "TCP"})
		default:
			if strings.HasPrefix(key, "label.") {
				pod.Labels = with(pod.Labels, key, value)
				continue
			}
			s.resource(pod.Requests, key, value)
		}
	}
	return pod
}

func (s *storyteller) gang(args []string) Gang {
	g := Gang{Key: args[0]}
	for _, arg := range args[1:] {
		key, value, isSet := strings.Cut(arg, "=")
		switch {
		case key == "queue":
			g.Queue = value
		case key == "user":
			g.User = value
		case key == "kind":
			g.Kind = value
		case key == "limit":
			g.Limit = s.number(value)
		case key == "promised":
			g.Promised = s.number(value)
		case key == "protected":
			g.Protected = s.number(value)
		case key == "checkpointed":
			g.Checkpointed = s.number(value)
		case key == "started":
			g.Started = s.number(value)
		case key == "priority":
			g.Priority = int32(s.number(value))
		case key == "created":
			g.Created = s.number(value)
		case key == "waits":
			g.Waits = true
		case isSet:
			g.Sets = append(g.Sets, s.set(key, value))
		default:
			name, slots, _ := strings.Cut(arg, "@")
			g.Placement = append(g.Placement, s.placement(name, slots))
		}
	}
	return g
}

func (s *storyteller) placement(name, slots string) SetPlacement {
	p := SetPlacement{Set: name}
	for slot := range strings.SplitSeq(slots, "+") {
		node, count, _ := strings.Cut(slot, "*")
		p.Slots = append(p.Slots, Slot{node, int32(s.number(count))})
	}
	return p
}

func (s *storyteller) set(name, spec string) PodSet {
	count, options, _ := strings.Cut(spec, ",")
	set := PodSet{Name: name, Count: int32(s.number(count)), Shape: Shape{Requests: Resources{}}}
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		label, selects := strings.CutPrefix(key, "select.")
		wanted, affine := strings.CutPrefix(key, "in.")
		liked, prefers := strings.CutPrefix(key, "like.")
		switch {
		case option == "":
		case key == "optional":
			set.Optional = int32(s.number(value))
		case key == "required":
			set.Topology.Required = value
		case key == "preferred":
			set.Topology.Preferred = value
		case key == "slice":
			label, size, _ := strings.Cut(value, "*")
			set.Topology.SliceLabel, set.Topology.Slice = label, int32(s.number(size))
		case key == "spread":
			set.Spread = true
		case key == "tolerate":
			key, seconds, limited := strings.Cut(value, "@")
			set.Shape.Tolerations = append(set.Shape.Tolerations, Toleration{Key: key, AnyValue: true, Limited: limited})
			if limited {
				set.Shape.Tolerations[len(set.Shape.Tolerations)-1].Seconds = s.number(seconds)
			}
		case key == "namespace":
			set.Namespace = value
		case key == "near", key == "apart", key == "even", key == "prefer", key == "scatter":
			s.tie(&set.Shape, key, value, set.Namespace)
		case strings.HasPrefix(key, "label."):
			set.Labels = with(set.Labels, key, value)
		case key == "port":
			set.Shape.HostPorts = append(set.Shape.HostPorts, HostPort{Port: int32(s.number(value)), Protocol: "TCP"})
		case selects:
			set.Shape.Selector = map[string]string{label: value}
		case affine:
			set.Shape.Affinity = append(set.Shape.Affinity, Term{{Key: wanted, Operator: In, Values: strings.Split(value, "|")}})
		case prefers:
			set.Shape.Preferred = append(set.Shape.Preferred, Preference{1, Term{{Key: liked, Operator: In, Values: []string{value}}}})
		default:
			s.resource(set.Shape.Requests, key, value)
		}
	}
	return set
}

func (s *storyteller) resource(r Resources, name, value string) {
	q, err := resource.ParseQuantity(value)
	switch {
	case err != nil:
		s.t.Fatalf("parsing %s=%s: %v", name, value, err)
	case name == "cpu":
		r[name] = q.MilliValue()
	case name == "gpu":
		r["nvidia.com/gpu"] = q.Value()
	default:
		r[name] = q.Value()
	}
}

func (s *storyteller) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Operator of a Requirement, spelled as in Kubernetes.
type Operator string

// Operators; Gt and Lt compare integers.
const (
	In           Operator = "In"
	NotIn        Operator = "NotIn"
	Exists       Operator = "Exists"
	DoesNotExist Operator = "DoesNotExist"
	Gt           Operator = "Gt"
	Lt           Operator = "Lt"
)

// Requirement on a label of a node or, with Field, on its name.
type Requirement struct {
	Key      string
	Operator Operator
	Values   []string
	Field    bool
}

// Term holds when all of its requirements do; one without any never holds.
type Term []Requirement

// Preference for nodes on which the term holds, of weight 1 to 100.
type Preference struct {
	Weight int32
	Term   Term
}

func (t Term) matches(n *Node) bool {
	return len(t) > 0 && !slices.ContainsFunc(t, func(r Requirement) bool { return !r.matches(n) })
}

func (r Requirement) matches(n *Node) bool {
	value, ok := n.Labels[r.Key]
	if r.Field {
		value, ok = n.Name, true
	}
	return r.holds(value, ok)
}

// holds for a value, or for a label that is not there.
func (r Requirement) holds(value string, ok bool) bool {
	switch r.Operator {
	case In:
		return ok && slices.Contains(r.Values, value)
	case NotIn:
		return !ok || !slices.Contains(r.Values, value)
	case Exists:
		return ok
	case DoesNotExist:
		return !ok
	case Gt, Lt:
		have, err := strconv.ParseInt(value, 10, 64)
		want, _ := strconv.ParseInt(r.Values[0], 10, 64)
		return ok && err == nil && (r.Operator == Gt && have > want || r.Operator == Lt && have < want)
	}
	return false
}

func (t Term) validate() error {
	for _, r := range t {
		if err := r.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (r Requirement) validate() error {
	switch {
	case r.Field && (r.Key != "metadata.name" || r.Operator != In && r.Operator != NotIn):
		return fmt.Errorf("field %q with operator %q is not supported; use metadata.name with In or NotIn", r.Key, r.Operator)
	case r.Field && len(r.Values) != 1:
		return fmt.Errorf("operator %s on field %q has %d values; give one", r.Operator, r.Key, len(r.Values))
	case r.Operator == In || r.Operator == NotIn:
		if len(r.Values) == 0 {
			return fmt.Errorf("operator %s on %q has no values; list at least one", r.Operator, r.Key)
		}
	case r.Operator == Gt || r.Operator == Lt:
		if len(r.Values) != 1 {
			return fmt.Errorf("operator %s on %q has %d values; give one integer", r.Operator, r.Key, len(r.Values))
		}
		if _, err := strconv.ParseInt(r.Values[0], 10, 64); err != nil {
			return fmt.Errorf("operator %s on %q compares with %q; give one integer", r.Operator, r.Key, r.Values[0])
		}
	case r.Operator == Exists || r.Operator == DoesNotExist:
		if len(r.Values) > 0 {
			return fmt.Errorf("operator %s on %q has values; leave them out, or use In or NotIn", r.Operator, r.Key)
		}
	default:
		return fmt.Errorf("operator %q on %q is unknown; use In, NotIn, Exists, DoesNotExist, Gt or Lt", r.Operator, r.Key)
	}
	return nil
}

// Effects of a Taint, spelled as in Kubernetes.
const (
	NoSchedule       = "NoSchedule"
	PreferNoSchedule = "PreferNoSchedule"
	NoExecute        = "NoExecute"
)

// Taint of a node.
type Taint struct {
	Key, Value, Effect string
	// Since is when a NoExecute taint was added, in seconds since whenever
	// [Picture.Elapse] counts from; zero when nobody knows.
	Since int64
}

func (t Taint) String() string {
	if t.Value == "" {
		return t.Key + ":" + t.Effect
	}
	return t.Key + "=" + t.Value + ":" + t.Effect
}

// Toleration of taints. An empty Key is every key, an empty Effect every effect;
// AnyValue is the operator Exists.
type Toleration struct {
	Key, Value, Effect string
	AnyValue           bool
	// Limited tolerations hold for so many Seconds after a NoExecute taint was
	// added. They keep what is on the node and let nothing new go there. Where
	// nobody knows when the taint was added they have no end.
	Limited bool
	Seconds int64
}

func (t Toleration) tolerates(taint Taint) bool {
	return (t.Effect == "" || t.Effect == taint.Effect) &&
		(t.Key == "" || t.Key == taint.Key) &&
		(t.AnyValue || t.Value == taint.Value)
}

// tolerated for good.
func tolerated(taint Taint, by []Toleration) bool {
	return slices.ContainsFunc(by, func(t Toleration) bool {
		return t.tolerates(taint) && !(t.Limited && taint.Effect == NoExecute)
	})
}

// never is later than every moment.
const never = math.MaxInt64

// toleratedUntil is the moment from which a NoExecute taint evicts. As in
// Kubernetes the first toleration that fits decides.
func toleratedUntil(taint Taint, by []Toleration) int64 {
	i := slices.IndexFunc(by, func(t Toleration) bool { return t.tolerates(taint) })
	switch {
	case i < 0:
		return math.MinInt64
	case by[i].Limited && taint.Since != 0:
		return taint.Since + min(max(by[i].Seconds, 0), maxQuantity)
	}
	return never
}

// HostPort of the node that a pod binds. An empty IP is all addresses.
type HostPort struct {
	Port     int32
	Protocol string
	IP       string
}

func (h HostPort) conflicts(o HostPort) bool {
	return h.Port == o.Port && h.Protocol == o.Protocol && (h.IP == o.IP || h.everywhere() || o.everywhere())
}

// everywhere leaves "::" out, as Kubernetes' own scheduler does.
func (h HostPort) everywhere() bool { return h.IP == "" || h.IP == "0.0.0.0" }

// Distinct ports of one pod, without those that another of its own ports covers: a
// port on all addresses conflicts with whatever the same port on one address does.
// One that is there twice stays so.
func Distinct(ports []HostPort) []HostPort {
	var kept []HostPort
	for i, port := range ports {
		covered := func(o HostPort) bool { return o != port && o.everywhere() && o.conflicts(port) }
		later := slices.ContainsFunc(ports[i+1:], func(o HostPort) bool { return covered(o) && !port.everywhere() })
		if !later && !slices.ContainsFunc(ports[:i], covered) {
			kept = append(kept, port)
		}
	}
	return kept
}

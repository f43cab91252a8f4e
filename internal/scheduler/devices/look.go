// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/utils/ptr"
)

// maxSights bounds what a kind remembers; devices of more different looks are evaluated one
// by one.
const maxSights = 4096

// look is which parts of a device an expression looks at, apart from its driver. Devices
// that are alike in those are evaluated once: tens of thousands in a cluster differ in their
// serial numbers alone.
type look struct {
	attributes, capacities []field
	// all says that it may look at anything.
	all bool
}

// field of a device, in a domain: with its name in full and that without the domain.
type field struct {
	domain string
	both   [2]resourcev1.QualifiedName
}

func fieldOf(domain, id string) field {
	return field{domain, [2]resourcev1.QualifiedName{resourcev1.QualifiedName(domain + "/" + id), resourcev1.QualifiedName(id)}}
}

// sight is what was found out about devices that look alike.
type sight struct {
	is  bool
	err error
}

// lookOf an expression that has been compiled: what it is more than device.driver,
// device.allowMultipleAllocations, and device.attributes["DOMAIN"].ID and its like, may be
// anything.
func lookOf(s *cel.CompilationResult) look {
	var l look
	compiled, issues := s.Environment.Compile(s.Expression)
	if issues.Err() != nil {
		return look{all: true}
	}
	root := ast.NavigateAST(compiled.NativeRep())
	for _, e := range ast.MatchDescendants(root, ast.KindMatcher(ast.IdentKind)) {
		if e.AsIdent() == "device" {
			l.follow(e)
		}
	}
	return l
}

// follow where the device goes in an expression.
func (l *look) follow(device ast.NavigableExpr) {
	part, is := selectedFrom(device)
	if !is {
		l.all = true
		return
	}
	switch part.AsSelect().FieldName() {
	case "driver", "allowMultipleAllocations":
	case "attributes":
		l.add(&l.attributes, part)
	case "capacity":
		l.add(&l.capacities, part)
	default:
		l.all = true
	}
}

// add the field that a map by domains is asked for.
func (l *look) add(to *[]field, domains ast.NavigableExpr) {
	if ids, domain, is := indexed(domains); is {
		if value, is := selectedFrom(ids); is {
			*to = append(*to, fieldOf(domain, value.AsSelect().FieldName()))
			return
		}
		if _, id, is := indexed(ids); is {
			*to = append(*to, fieldOf(domain, id))
			return
		}
	}
	l.all = true
}

// selectedFrom is the selection of a field of an expression, if that is all that is done
// with it.
func selectedFrom(e ast.NavigableExpr) (ast.NavigableExpr, bool) {
	parent, has := e.Parent()
	return parent, has && parent.Kind() == ast.SelectKind
}

// indexed is the selection of an entry of a map, by a key that is written there.
func indexed(e ast.NavigableExpr) (entry ast.NavigableExpr, key string, is bool) {
	parent, has := e.Parent()
	if !has || parent.Kind() != ast.CallKind || parent.AsCall().FunctionName() != operators.Index {
		return nil, "", false
	}
	args := parent.AsCall().Args()
	if len(args) != 2 || args[0].ID() != e.ID() || args[1].Kind() != ast.LiteralKind {
		return nil, "", false
	}
	key, is = args[1].AsLiteral().Value().(string)
	return parent, key, is
}

// at a device: the same for those that are alike.
func (l *look) at(d *cel.Device) string {
	seen := append(make([]byte, 0, 128), d.Driver...)
	seen = strconv.AppendBool(append(seen, ' '), ptr.Deref(d.AllowMultipleAllocations, false))
	for _, f := range l.attributes {
		for i, name := range f.names(d.Driver) {
			if value, has := d.Attributes[name]; has {
				seen = spell(append(seen, '\n', byte('0'+i)), &value)
			} else {
				seen = append(seen, '\n', '-')
			}
		}
	}
	for _, f := range l.capacities {
		for i, name := range f.names(d.Driver) {
			if value, has := d.Capacity[name]; has {
				seen = append(append(seen, '\n', byte('0'+i)), value.Value.String()...)
			} else {
				seen = append(seen, '\n', '-')
			}
		}
	}
	return string(seen)
}

// bare is the device with nothing else to it.
func (l *look) bare(d *cel.Device) cel.Device {
	out := cel.Device{Driver: d.Driver, AllowMultipleAllocations: d.AllowMultipleAllocations,
		Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{}, Capacity: map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{}}
	keep(out.Attributes, d.Attributes, l.attributes, d.Driver)
	keep(out.Capacity, d.Capacity, l.capacities, d.Driver)
	return out
}

func keep[V any](to, from map[resourcev1.QualifiedName]V, fields []field, driver string) {
	for _, f := range fields {
		for _, name := range f.names(driver) {
			if value, has := from[name]; has {
				to[name] = value
			}
		}
	}
}

// names that a field goes by: without a domain it is of the driver's.
func (f *field) names(driver string) []resourcev1.QualifiedName {
	if f.domain == driver {
		return f.both[:]
	}
	return f.both[:1]
}

// spell a value, so that no two are spelled alike.
func spell(to []byte, a *resourcev1.DeviceAttribute) []byte {
	switch {
	case a.StringValue != nil:
		return strconv.AppendQuote(append(to, 's'), *a.StringValue)
	case a.IntValue != nil:
		return strconv.AppendInt(append(to, 'i'), *a.IntValue, 10)
	case a.BoolValue != nil:
		return strconv.AppendBool(append(to, 'b'), *a.BoolValue)
	case a.VersionValue != nil:
		return strconv.AppendQuote(append(to, 'v'), *a.VersionValue)
	}
	return fmt.Appendf(to, "%q %d %t %q", a.StringValues, a.IntValues, a.BoolValues, a.VersionValues)
}

func (l look) plus(o look) look {
	return look{slices.Concat(l.attributes, o.attributes), slices.Concat(l.capacities, o.capacities), l.all || o.all}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"slices"
	"strconv"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"k8s.io/dynamic-resource-allocation/cel"
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

// field of a device, in a domain: its name in full and that without the domain.
type field struct {
	domain string
	names  [2]string
}

func fieldOf(domain, id string) field {
	return field{domain, [2]string{domain + "/" + id, id}}
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

// at a device with these traits: the same for those that are alike, and what is seen of
// them.
func (l *look) at(t *traits) (string, traits) {
	seen := traits{driver: t.driver, shared: t.shared}
	key := strconv.AppendBool(append(make([]byte, 0, 128), t.driver...), t.shared)
	key, seen.attributes = glance(key, l.attributes, t.attributes, t.driver)
	key, seen.capacities = glance(key, l.capacities, t.capacities, t.driver)
	return string(key), seen
}

// glance at the fields among traits, each with the length of what is there.
func glance(key []byte, fields []field, among []trait, driver string) (_ []byte, seen []trait) {
	for i := range fields {
		for _, name := range fields[i].of(driver) {
			t, has := find(among, name)
			if !has {
				key = append(key, '-')
				continue
			}
			key = append(append(strconv.AppendInt(key, int64(len(t.value)), 10), ' '), t.value...)
			seen = append(seen, t)
		}
	}
	return key, seen
}

// of a driver's devices, the names that the field goes by: without a domain it is theirs.
func (f *field) of(driver string) []string {
	if f.domain == driver {
		return f.names[:]
	}
	return f.names[:1]
}

func (l look) plus(o look) look {
	return look{slices.Concat(l.attributes, o.attributes), slices.Concat(l.capacities, o.capacities), l.all || o.all}
}

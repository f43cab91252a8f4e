// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// maxCost of a selector of a request, for one device, in CEL's units: a hundred times what
// any needs that looks at a few attributes. Classes are their administrator's, and may cost
// what the API server lets them; requests are anybody's, and evaluated for every device.
const maxCost = 10_000

// maxName is how much of the selectors is in the name of a resource, which reasons quote.
const maxName = 120

// kind is what is counted: the devices of a class, or those of them that a request with
// selectors of its own may have.
type kind struct {
	// name of the resource.
	name  string
	class string
	// number of the kind; negative where there are too many.
	number int
	// expressions of its own, compiled.
	expressions []string
	selectors   []cel.CompilationResult
	// look of all of them, and what was found out about devices by it.
	look   look
	sights map[string]sight
	// invalid says what is wrong with an expression, fault on which device one failed last.
	invalid, fault string
	// narrower than its class; users are the gangs that ask for it.
	narrower bool
	users    int
	// stale until its devices are found.
	stale bool
}

// ResourceName of a class, as a ResourceQuota names it.
func ResourceName(class string) corev1.ResourceName {
	return corev1.ResourceName(class + corev1.ResourceClaimsPerClass)
}

// NameOf what a request asks for.
func NameOf(r *slipwayv1.DeviceRequest) string {
	name := string(ResourceName(r.DeviceClass))
	if len(r.Selectors) == 0 {
		return name
	}
	return name + " where " + short(strings.Join(r.Selectors, " && "))
}

// short is a text on one line, the end of a long one a hash.
func short(text string) string {
	line := strings.Join(strings.Fields(text), " ")
	if len(line) <= maxName {
		return line
	}
	hash := fnv.New32a()
	hash.Write([]byte(text))
	return fmt.Sprintf("%s… (%08x)", strings.ToValidUTF8(line[:maxName], ""), hash.Sum32())
}

// newKind of devices that meet all of the expressions.
func newKind(name, class string, expressions []string, cost *uint64) *kind {
	k := &kind{name: name, class: class, expressions: expressions, sights: map[string]sight{}, stale: true}
	// What a cluster does not serve no device of it has, so that nothing is lost by knowing all.
	compiler := cel.GetCompiler(cel.Features{EnableConsumableCapacity: true, EnableListTypeAttributes: true})
	for _, expression := range expressions {
		s := compiler.CompileCELExpression(expression, cel.Options{DisableCostEstimation: true, CostLimit: cost})
		if s.Error != nil {
			k.invalid = fmt.Sprintf("%q: %s", short(expression), s.Error.Detail)
			return k
		}
		k.selectors = append(k.selectors, s)
		k.look = k.look.plus(lookOf(&s))
	}
	return k
}

func ofClass(c *resourcev1.DeviceClass) *kind {
	return newKind(string(ResourceName(c.Name)), c.Name, expressionsOf(c.Spec.Selectors), nil)
}

func ofRequest(r *slipwayv1.DeviceRequest) *kind {
	k := newKind(NameOf(r), r.DeviceClass, r.Selectors, ptr.To[uint64](maxCost))
	k.narrower = true
	return k
}

func expressionsOf(selectors []resourcev1.DeviceSelector) []string {
	var list []string
	for _, s := range selectors {
		if s.CEL != nil { // others than CEL there are none
			list = append(list, s.CEL.Expression)
		}
	}
	return list
}

// includes says whether a device is of the kind; an error means that the default scheduler
// gives nobody who asks for the kind a device of that node.
func (k *kind) includes(t *traits) (bool, error) {
	switch {
	case k.invalid != "":
		return false, nil
	case k.look.all:
		return k.evaluate(t)
	}
	key, seen := k.look.at(t)
	known, is := k.sights[key]
	if !is {
		known.is, known.err = k.evaluate(&seen)
		if len(k.sights) < maxSights {
			k.sights[key] = known
		}
	}
	return known.is, known.err
}

func (k *kind) evaluate(t *traits) (bool, error) {
	d := t.device()
	for i := range k.selectors {
		meets, _, err := k.selectors[i].DeviceMatches(context.Background(), d)
		if err != nil {
			return false, fmt.Errorf("evaluating %q: %w", short(k.selectors[i].Expression), err)
		}
		if !meets {
			return false, nil
		}
	}
	return true, nil
}

// sort d into the kind, or out of it.
func (d *device) sort(k *kind, class *kind) {
	one := kinds{}.with(k.number)
	d.of, d.failed = d.of.without(one), d.failed.without(one)
	if k.narrower && (class == nil || class.number < 0 || !d.of.has(class.number)) {
		return
	}
	is, err := k.includes(&d.traits)
	switch {
	case err != nil:
		k.fault, d.failed = fmt.Sprintf("device %s: %v", d.id, err), d.failed.or(one)
	case is:
		d.of = d.of.or(one)
	}
}

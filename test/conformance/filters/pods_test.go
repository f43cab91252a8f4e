// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package filters

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// noon is when everything happens.
var noon = metav1.NewTime(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))

const namespace = "ns"

// template of a pod that wants a node, as somebody might write it into a job.
func (d *dice) template() corev1.PodTemplateSpec {
	t := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: d.labels()}, Spec: d.podSpec()}
	t.Spec.Tolerations = list(d, 2, d.toleration)
	if d.oneIn(4) {
		t.Spec.NodeSelector = map[string]string{one(d, nodeLabels...): one(d, nodeValues...)}
	}
	if d.oneIn(3) {
		t.Spec.Affinity = &corev1.Affinity{NodeAffinity: d.nodeAffinity()}
	}
	if d.oneIn(3) {
		t.Spec.Affinity = d.peers(t.Spec.Affinity)
	}
	if d.oneIn(3) {
		t.Spec.TopologySpreadConstraints = d.spreads()
	}
	return t
}

func (d *dice) podSpec() corev1.PodSpec {
	spec := corev1.PodSpec{HostNetwork: d.oneIn(8)}
	for i := range 1 + d.n(2) {
		spec.Containers = append(spec.Containers, d.container(fmt.Sprint("c", i)))
	}
	for i := range d.n(3) {
		c := d.container(fmt.Sprint("i", i))
		if d.oneIn(2) {
			c.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
		}
		spec.InitContainers = append(spec.InitContainers, c)
	}
	if spec.HostNetwork {
		mirrorPorts(&spec)
	}
	dropTwins(&spec)
	if d.oneIn(6) {
		spec.Overhead = corev1.ResourceList{"cpu": resource.MustParse("250m"), "memory": resource.MustParse("1Mi")}
	}
	if d.oneIn(5) {
		spec.Resources = d.whole()
	}
	return spec
}

func (d *dice) container(name string) corev1.Container {
	return corev1.Container{
		Name: name, Image: "none",
		Resources: d.requirements("cpu", "memory", "ephemeral-storage", gpus, hugePages),
		Ports:     list(d, d.n(3), d.port),
	}
}

const (
	gpus      = "nvidia.com/gpu"
	hugePages = "hugepages-2Mi"
)

// requirements of some resources: a request, a limit, or both, of which the API server
// wants that the limit is not the smaller one, that they are equal for what cannot be
// overcommitted, and that huge pages come with a processor.
func (d *dice) requirements(names ...corev1.ResourceName) corev1.ResourceRequirements {
	r := corev1.ResourceRequirements{Requests: corev1.ResourceList{}, Limits: corev1.ResourceList{}}
	for _, name := range names {
		if !d.oneIn(5) {
			continue
		}
		limit, request := d.quantity(name), d.quantity(name)
		switch how := d.n(3); {
		case name == hugePages:
			r.Limits[corev1.ResourceCPU] = d.quantity(corev1.ResourceCPU)
			delete(r.Requests, corev1.ResourceCPU)
			fallthrough
		case how == 0 || name == gpus:
			r.Limits[name] = limit
		default:
			if r.Requests[name] = request; how == 1 && limit.Cmp(request) >= 0 {
				r.Limits[name] = limit
			}
		}
	}
	return r
}

func (d *dice) quantity(name corev1.ResourceName) resource.Quantity {
	switch name {
	case corev1.ResourceCPU:
		return resource.MustParse(one(d, "500m", "0", "1", "0.5m", "2"))
	case gpus:
		return resource.MustParse(one(d, "1", "0", "2"))
	case hugePages:
		return resource.MustParse(one(d, "256Mi", "128Mi", "512Mi"))
	}
	return resource.MustParse(one(d, "256Mi", "0", "1Gi", "100500m"))
}

// whole is what a pod as a whole asks for, at least as much as its containers.
func (d *dice) whole() *corev1.ResourceRequirements {
	r := &corev1.ResourceRequirements{Requests: corev1.ResourceList{}, Limits: corev1.ResourceList{}}
	for _, what := range [][]string{{"cpu", "4", "2", "1"}, {"memory", "2Gi", "1Gi", "256Mi"}} {
		name, quantity := corev1.ResourceName(what[0]), resource.MustParse(one(d, what[1:]...))
		switch d.n(3) {
		case 1:
			r.Requests[name] = quantity
		case 2:
			r.Limits[name] = quantity
		}
	}
	if d.oneIn(3) {
		r.Limits[corev1.ResourceCPU] = resource.MustParse("4")
		r.Limits[hugePages] = resource.MustParse(one(d, "1Gi", "512Mi"))
	}
	return r
}

func (d *dice) port() corev1.ContainerPort {
	return corev1.ContainerPort{
		ContainerPort: int32(80 + d.n(2)),
		HostPort:      one(d, int32(80), 0, 81),
		Protocol:      one(d, "", corev1.ProtocolTCP, corev1.ProtocolUDP),
		HostIP:        one(d, "", "0.0.0.0", "10.0.0.1", "10.0.0.2", "::"),
	}
}

// mirrorPorts: on the host's network a port that is named must be the container's.
func mirrorPorts(spec *corev1.PodSpec) {
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			for j := range containers[i].Ports {
				if p := &containers[i].Ports[j]; p.HostPort > 0 {
					p.ContainerPort = p.HostPort
				}
			}
		}
	}
}

// dropTwins of host ports, which the API server refuses.
func dropTwins(spec *corev1.PodSpec) {
	seen := map[string]bool{}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			containers[i].Ports = slices.DeleteFunc(containers[i].Ports, func(p corev1.ContainerPort) bool {
				number := p.HostPort
				if spec.HostNetwork {
					number = p.ContainerPort
				}
				key := fmt.Sprint(number, cmp.Or(p.Protocol, corev1.ProtocolTCP), p.HostIP)
				twin := number > 0 && seen[key]
				seen[key] = true
				return twin
			})
		}
	}
}

func (d *dice) toleration() corev1.Toleration {
	t := corev1.Toleration{
		Key:      one(d, "a", "", "b", corev1.TaintNodeUnschedulable),
		Operator: one(d, "", corev1.TolerationOpEqual, corev1.TolerationOpExists, corev1.TolerationOpGt, corev1.TolerationOpLt),
		Value:    one(d, "", "x", "3"),
		Effect:   one(d, append(effects, "")...),
	}
	if t.Operator == corev1.TolerationOpExists {
		t.Value = ""
	}
	if d.oneIn(4) {
		t.TolerationSeconds = ptr.To(int64(d.n(3)))
	}
	return t
}

func (d *dice) nodeAffinity() *corev1.NodeAffinity {
	a := &corev1.NodeAffinity{}
	if !d.oneIn(4) {
		a.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{NodeSelectorTerms: list(d, 2, d.nodeTerm)}
	}
	return a
}

func (d *dice) nodeTerm() corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: list(d, 2, d.nodeRequirement), MatchFields: list(d, 1, d.nodeField)}
}

func (d *dice) nodeRequirement() corev1.NodeSelectorRequirement {
	r := corev1.NodeSelectorRequirement{
		Key: one(d, append(nodeLabels, "nowhere", corev1.LabelHostname)...),
		Operator: one(d, corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn, corev1.NodeSelectorOpExists,
			corev1.NodeSelectorOpDoesNotExist, corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt),
	}
	switch r.Operator {
	case corev1.NodeSelectorOpExists, corev1.NodeSelectorOpDoesNotExist:
	case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
		r.Values = []string{one(d, "1", "0", "-3", "9", "a", "1.5", "+1", "99999999999999999999")}
	default:
		r.Values = append(some(d, nodeValues...), "n1")
	}
	if d.oneIn(12) {
		r.Values = list(d, 2, func() string { return one(d, nodeValues...) })
	}
	return r
}

func (d *dice) nodeField() corev1.NodeSelectorRequirement {
	r := corev1.NodeSelectorRequirement{
		Key:      metav1.ObjectNameField,
		Operator: one(d, corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn),
		Values:   []string{nodeName(d.n(maxNodes))},
	}
	if d.oneIn(10) {
		r.Values = append(r.Values, nodeName(d.n(maxNodes)))
	}
	return r
}

// bound is a pod that some scheduler put on a node, which may be gone. It may be on
// its way out, ended, or being resized.
func (d *dice) bound(i int) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("p", i), Namespace: one(d, namespace, namespace, elsewhere), UID: types.UID(fmt.Sprint("uid-p", i)), Labels: d.labels()},
		Spec:       d.podSpec(),
		Status:     corev1.PodStatus{Phase: one(d, corev1.PodRunning, corev1.PodPending, corev1.PodRunning, corev1.PodRunning, corev1.PodSucceeded, corev1.PodFailed)},
	}
	p.Spec.NodeName = nodeName(d.n(maxNodes))
	if d.oneIn(3) {
		p.Spec.Affinity = d.peers(nil)
	}
	if d.oneIn(5) {
		p.DeletionTimestamp = &noon
	}
	if d.oneIn(3) {
		d.resize(p)
	}
	return p
}

// resize in place: what containers have differs from what is wanted.
func (d *dice) resize(p *corev1.Pod) {
	for _, c := range p.Spec.Containers {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, d.status(c.Name))
	}
	for _, c := range p.Spec.InitContainers {
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, d.status(c.Name))
	}
	if reason := one(d, "", corev1.PodReasonInfeasible, corev1.PodReasonDeferred); reason != "" {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodResizePending, Status: corev1.ConditionTrue, Reason: reason}}
	}
	if p.Spec.Resources != nil && d.oneIn(2) {
		p.Status.Resources, p.Status.AllocatedResources = d.whole(), d.whole().Requests
	}
}

func (d *dice) status(container string) corev1.ContainerStatus {
	s := corev1.ContainerStatus{Name: container}
	if d.oneIn(2) {
		s.AllocatedResources = d.requirements("cpu", "memory").Requests
	}
	if d.oneIn(2) {
		r := d.requirements("cpu", "memory")
		s.Resources = &r
	}
	return s
}

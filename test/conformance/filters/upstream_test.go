// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package filters

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	fwk "k8s.io/kube-scheduler/framework"
	core "k8s.io/kubernetes/pkg/apis/core"
	podv1 "k8s.io/kubernetes/pkg/apis/core/v1"
	podregistry "k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/interpodaffinity"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeaffinity"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodename"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeports"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeunschedulable"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/tainttoleration"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
)

// upstream is Kubernetes' scheduler as far as it filters nodes.
type upstream struct {
	t        *testing.T
	snapshot *cache.Snapshot
	plugins  []fwk.Plugin
}

// factory of a plugin, with the arguments that it has by default.
type factory struct {
	make frameworkruntime.PluginFactoryWithFts[fwk.Plugin]
	args runtime.Object
}

// factories of the filters compared, those apart that look at volumes and claims.
var factories = []factory{
	{nodename.New, nil},
	{nodeunschedulable.New, nil},
	{tainttoleration.New, nil},
	{nodeaffinity.New, &config.NodeAffinityArgs{}},
	{nodeports.New, nil},
	{interpodaffinity.New, &config.InterPodAffinityArgs{}},
	{podtopologyspread.New, &config.PodTopologySpreadArgs{DefaultingType: config.ListDefaulting}},
	{noderesources.NewFit, &config.NodeResourcesFitArgs{ScoringStrategy: &config.ScoringStrategy{
		Type: config.LeastAllocated, Resources: []config.ResourceSpec{{Name: "cpu", Weight: 1}},
	}}},
}

// newUpstream knows namespaces and nodes, and of the pods, as they are stored, those that its cache would have.
func newUpstream(t *testing.T, namespaces []*corev1.Namespace, nodes []*corev1.Node, pods []*corev1.Pod) *upstream {
	known := map[string]bool{}
	for _, n := range nodes {
		known[n.Name] = true
	}
	var present []*corev1.Pod
	for _, p := range pods {
		if known[p.Spec.NodeName] && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			present = append(present, p)
		}
	}
	metrics.Register() // which the plugins count on
	u := &upstream{t: t, snapshot: cache.NewSnapshot(present, nodes)}
	cached := informers.NewSharedInformerFactory(nil, 0)
	for _, ns := range namespaces {
		if err := cached.Core().V1().Namespaces().Informer().GetIndexer().Add(ns); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel() // ends a goroutine of the framework
	handle, err := frameworkruntime.NewFramework(ctx, nil, nil,
		frameworkruntime.WithSnapshotSharedLister(u.snapshot), frameworkruntime.WithInformerFactory(cached))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range factories {
		plugin, err := f.make(t.Context(), f.args, handle, feature.NewSchedulerFeaturesFromGates(utilfeature.DefaultFeatureGate))
		if err != nil {
			t.Fatal(err)
		}
		u.plugins = append(u.plugins, plugin)
	}
	return u
}

// stored is a pod as the API server would keep it, with what the kubelet said since. It
// is false for one of which the API server would not take the containers; whatever
// else it has against a pod is for the schedulers to deal with.
func stored(t *testing.T, p *corev1.Pod) (*corev1.Pod, bool) {
	out, internal := p.DeepCopy(), &core.Pod{}
	podv1.SetObjectDefaults_Pod(out)
	if err := podv1.Convert_v1_Pod_To_core_Pod(out, internal, nil); err != nil {
		t.Fatal(err)
	}
	podregistry.Strategy.PrepareForCreate(t.Context(), internal)
	refused := slices.ContainsFunc(podregistry.Strategy.Validate(t.Context(), internal), func(e *field.Error) bool {
		return strings.HasPrefix(e.Field, "spec.containers") || strings.HasPrefix(e.Field, "spec.initContainers") || strings.HasPrefix(e.Field, "spec.resources")
	})
	if err := podv1.Convert_core_Pod_To_v1_Pod(internal, out, nil); err != nil {
		t.Fatal(err)
	}
	out.Status = p.Status
	return out, !refused
}

// refusals of the nodes to which the pod may not go, with the plugin that says so.
func (u *upstream) refusals(p *corev1.Pod) map[string]string {
	ctx := u.t.Context()
	nodes, err := u.snapshot.NodeInfos().List()
	if err != nil {
		u.t.Fatal(err)
	}
	refused := map[string]string{}
	for _, plugin := range u.plugins {
		refuse := u.filter(ctx, plugin, p, nodes)
		for _, n := range nodes {
			if why := refuse(n); why != "" && refused[n.Node().Name] == "" {
				refused[n.Node().Name] = plugin.Name() + ": " + why
			}
		}
	}
	return refused
}

// filter of a plugin: what it has against a node, or nothing.
func (u *upstream) filter(ctx context.Context, plugin fwk.Plugin, p *corev1.Pod, nodes []fwk.NodeInfo) func(fwk.NodeInfo) string {
	state := framework.NewCycleState()
	var only *fwk.PreFilterResult
	if pre, is := plugin.(fwk.PreFilterPlugin); is {
		result, status := pre.PreFilter(ctx, state, p, nodes)
		switch {
		case status.IsSkip():
			return func(fwk.NodeInfo) string { return "" }
		case status.Code() == fwk.Error:
			u.t.Fatalf("%s: %v", plugin.Name(), status.AsError())
		case !status.IsSuccess():
			return func(fwk.NodeInfo) string { return status.Message() }
		}
		only = result
	}
	return func(n fwk.NodeInfo) string {
		if !only.AllNodes() && !only.NodeNames.Has(n.Node().Name) {
			return "names other nodes"
		}
		status := plugin.(fwk.FilterPlugin).Filter(ctx, state, p, n)
		if status.Code() == fwk.Error {
			u.t.Fatalf("%s on %s: %v", plugin.Name(), n.Node().Name, status.AsError())
		}
		return status.Message()
	}
}

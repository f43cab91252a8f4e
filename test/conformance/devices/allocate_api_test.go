// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/training"
)

// TestAPIKubernetesAllocates: the pods of a job go where its gang was placed, each gets a
// device there from Kubernetes' own scheduler, and what they have counts for the next job.
func TestAPIKubernetesAllocates(t *testing.T) {
	config := kubetest.Start(t)
	l := &lab{t: t, ns: kubetest.Namespace(t, config), client: kubetest.Client(t, config, kubeflowv1.AddToScheme, slipwayv1.AddToScheme)}
	mgr := kubetest.Manager(t, config, l.client.Scheme(), kubetest.Within(l.ns))
	for _, setup := range []func(ctrl.Manager) error{scheduler.Setup, training.Setup, setupClaims} {
		if err := setup(mgr); err != nil {
			t.Fatal(err)
		}
	}
	kubetest.Run(t, mgr)
	kubetest.Scheduler(t, config)
	for i, models := range [][]string{{"h100", "a100"}, {"a100", "a100"}, nil} {
		l.node(fmt.Sprintf("%s-n%d", l.ns, i), models)
	}
	l.create(&resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: l.ns}, Spec: resourcev1.DeviceClassSpec{
		Selectors: []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: expressions[0]}}}}})
	l.create(&resourcev1.ResourceClaimTemplate{ObjectMeta: metav1.ObjectMeta{Name: "gpu", Namespace: l.ns},
		Spec: resourcev1.ResourceClaimTemplateSpec{Spec: resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{
			Requests: []resourcev1.DeviceRequest{{Name: "gpu", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: l.ns}}}}}}})

	l.create(l.job("first", 3))
	pods := kubetest.AwaitList(t, l.client, l.ns, "all pods to be bound", &corev1.PodList{}, func(list *corev1.PodList) bool {
		return len(list.Items) == 3 && !slices.ContainsFunc(list.Items, func(p corev1.Pod) bool { return p.Spec.NodeName == "" })
	})
	l.checkDevices(pods.Items)

	l.create(l.job("second", 2))
	gang := kubetest.Await(t, l.client, &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Namespace: l.ns, Name: "pytorchjob-second"}}, "to wait",
		func(g *slipwayv1.Gang) bool {
			return meta.FindStatusCondition(g.Status.Conditions, slipwayv1.ConditionPlaced) != nil
		})
	why := meta.FindStatusCondition(gang.Status.Conditions, slipwayv1.ConditionPlaced)
	if want := "too little " + l.ns + corev1.ResourceClaimsPerClass; !strings.Contains(why.Message, want) {
		t.Errorf("the second job: %s; want %q", why.Message, want)
	}
	l.create(l.job("third", 1))
	kubetest.AwaitList(t, l.client, l.ns, "the last device to be used", &corev1.PodList{}, func(list *corev1.PodList) bool {
		return len(list.Items) == 4 && !slices.ContainsFunc(list.Items, func(p corev1.Pod) bool { return p.Spec.NodeName == "" })
	})
}

// lab is a namespace in which the scheduler, the training engine and Kubernetes' scheduler
// are at work.
type lab struct {
	t      *testing.T
	client client.WithWatch
	ns     string
}

func (l *lab) create(o client.Object) {
	l.t.Helper()
	if err := l.client.Create(l.t.Context(), o); err != nil {
		l.t.Fatal(err)
	}
	if o.GetNamespace() == "" {
		l.t.Cleanup(func() { _ = l.client.Delete(context.Background(), o) })
	}
}

// node that is ready, with devices of these models.
func (l *lab) node(name string, models []string) {
	l.t.Helper()
	kubetest.Node(l.t, l.client, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{
		Allocatable: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("110"), corev1.ResourceCPU: resource.MustParse("8")},
		Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}})
	s := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: resourcev1.ResourceSliceSpec{
		Driver: driver, NodeName: &name, Pool: resourcev1.ResourcePool{Name: name, ResourceSliceCount: 1}}}
	for i, model := range models {
		s.Spec.Devices = append(s.Spec.Devices, resourcev1.Device{Name: fmt.Sprint("gpu", i),
			Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{"model": {StringValue: &model}}})
	}
	l.create(s)
}

// job of so many pods, each with a claim of the template.
func (l *lab) job(name string, pods int32) *kubeflowv1.PyTorchJob {
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: kubeflowv1.PyTorchJobDefaultContainerName, Image: "none",
			Resources: corev1.ResourceRequirements{Claims: []corev1.ResourceClaim{{Name: "gpu"}}}}},
		ResourceClaims: []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimTemplateName: ptr.To("gpu")}}}}
	return &kubeflowv1.PyTorchJob{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.ns}, Spec: kubeflowv1.PyTorchJobSpec{
		PyTorchReplicaSpecs: map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec{
			kubeflowv1.PyTorchJobReplicaTypeWorker: {Replicas: &pods, Template: template}}}}
}

// checkDevices: each pod has one of its own, on its node.
func (l *lab) checkDevices(pods []corev1.Pod) {
	l.t.Helper()
	taken := map[string]string{}
	for _, p := range pods {
		var claim resourcev1.ResourceClaim
		if err := l.client.Get(l.t.Context(), client.ObjectKey{Namespace: l.ns, Name: p.Name}, &claim); err != nil {
			l.t.Fatal(err)
		}
		for _, r := range claim.Status.Allocation.Devices.Results {
			device := r.Pool + "/" + r.Device
			if r.Pool != p.Spec.NodeName || taken[device] != "" {
				l.t.Errorf("%s on %s has %s, which %q has, too", p.Name, p.Spec.NodeName, device, taken[device])
			}
			taken[device] = p.Name
		}
	}
	if len(taken) != len(pods) {
		l.t.Errorf("%d pods have %v", len(pods), taken)
	}
}

// claims plays Kubernetes' controller that makes them of templates.
type claims struct{ client.Client }

func setupClaims(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("claims").For(&corev1.Pod{}).Complete(claims{mgr.GetClient()})
}

func (c claims) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var pod corev1.Pod
	if err := c.Get(ctx, request.NamespacedName, &pod); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if len(pod.Spec.ResourceClaims) == 0 || len(pod.Status.ResourceClaimStatuses) > 0 {
		return ctrl.Result{}, nil
	}
	var template resourcev1.ResourceClaimTemplate
	if err := c.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: *pod.Spec.ResourceClaims[0].ResourceClaimTemplateName}, &template); err != nil {
		return ctrl.Result{}, err
	}
	claim := &resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace,
		Annotations:     map[string]string{resourcev1.PodResourceClaimAnnotation: pod.Spec.ResourceClaims[0].Name},
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(&pod, corev1.SchemeGroupVersion.WithKind("Pod"))}}, Spec: template.Spec.Spec}
	if err := c.Create(ctx, claim); err != nil && !apierrors.IsAlreadyExists(err) {
		return ctrl.Result{}, err
	}
	old := pod.DeepCopy()
	pod.Status.ResourceClaimStatuses = []corev1.PodResourceClaimStatus{{Name: pod.Spec.ResourceClaims[0].Name, ResourceClaimName: &claim.Name}}
	return ctrl.Result{}, c.Status().Patch(ctx, &pod, client.MergeFrom(old))
}

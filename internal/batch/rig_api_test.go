// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"testing"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// rig is a namespace of a real API server, with its admission policies. The test plays
// scheduler, Job controller and people.
type rig struct {
	t      *testing.T
	cfg    *rest.Config
	kinds  *runtime.Scheme
	client client.WithWatch
	ns     string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, cfg: kubetest.Start(t), kinds: runtime.NewScheme()}
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, kubeflowv1.AddToScheme, slipwayv1.AddToScheme} {
		r.must(add(r.kinds))
	}
	r.client = r.as("")
	r.ns = kubetest.Namespace(t, r.cfg)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// as a user who may do everything; empty for the administrator.
func (r *rig) as(user string) client.WithWatch {
	r.t.Helper()
	cfg := rest.CopyConfig(r.cfg)
	if user != "" {
		cfg.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	}
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: r.kinds})
	r.must(err)
	return c
}

// run the controller as a user who has its rules and no more.
func (r *rig) run() {
	r.t.Helper()
	user := "batch-" + r.ns
	r.must(r.client.Create(r.t.Context(), &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: Rules()}))
	r.must(r.client.Create(r.t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}))
	limited := rest.CopyConfig(r.cfg)
	limited.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	mgr, err := ctrl.NewManager(limited, ctrl.Options{
		Scheme:  r.kinds,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{r.ns: {}}},
		// Every test has a manager, and names of controllers are unique in a process.
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	r.must(err)
	r.must(Setup(mgr))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("running the controller: %v", err)
		}
	})
}

func (r *rig) job(name string, change ...func(*batchv1.Job)) *batchv1.Job {
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns},
		Spec: batchv1.JobSpec{
			Parallelism: ptr.To[int32](2), Completions: ptr.To[int32](2),
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "main", Image: "none"}},
			}},
		},
	}
	for _, c := range change {
		c(job)
	}
	return job
}

func label(key, value string) func(*batchv1.Job) {
	return func(j *batchv1.Job) { metav1.SetMetaDataLabel(&j.ObjectMeta, key, value) }
}

func suspended(j *batchv1.Job) { j.Spec.Suspend = ptr.To(true) }

func (r *rig) create(o client.Object) {
	r.t.Helper()
	r.must(r.client.Create(r.t.Context(), o))
}

// edit changes what the API server has.
func edit[T client.Object](r *rig, o T, change func(T)) {
	r.t.Helper()
	r.must(r.client.Get(r.t.Context(), client.ObjectKeyFromObject(o), o))
	old := o.DeepCopyObject().(client.Object)
	change(o)
	r.must(r.client.Patch(r.t.Context(), o, client.MergeFrom(old)))
}

func editStatus[T client.Object](r *rig, o T, change func(T)) {
	r.t.Helper()
	r.must(r.client.Get(r.t.Context(), client.ObjectKeyFromObject(o), o))
	old := o.DeepCopyObject().(client.Object)
	change(o)
	r.must(r.client.Status().Patch(r.t.Context(), o, client.MergeFrom(old)))
}

// await returns the list as it is when ok first holds for it.
func await[L client.ObjectList](r *rig, what string, list L, ok func(L) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	changes, err := r.client.Watch(ctx, list.DeepCopyObject().(L), client.InNamespace(r.ns))
	r.must(err)
	defer changes.Stop()
	for {
		r.must(r.client.List(ctx, list, client.InNamespace(r.ns)))
		if ok(list) {
			return
		}
		if _, open := <-changes.ResultChan(); !open {
			r.t.Fatalf("waiting for %s: still %+v", what, list)
		}
	}
}

func (r *rig) awaitGangs(n int) []slipwayv1.Gang {
	r.t.Helper()
	var gangs slipwayv1.GangList
	await(r, "gangs", &gangs, func(l *slipwayv1.GangList) bool { return len(l.Items) == n })
	return gangs.Items
}

func (r *rig) awaitJob(name, state string) *batchv1.Job {
	r.t.Helper()
	var found *batchv1.Job
	await(r, "job "+name+" to be "+state, &batchv1.JobList{}, func(l *batchv1.JobList) bool {
		for i := range l.Items {
			if l.Items[i].Name == name && stateOf(&l.Items[i]) == state {
				found = &l.Items[i]
			}
		}
		return found != nil
	})
	return found
}

// stateOf a Job, as the annotation and the spec say: runs, waits or rests.
func stateOf(job *batchv1.Job) string {
	switch {
	case !isSuspended(job):
		return "runs"
	case waits(job):
		return "waits"
	}
	return "rests"
}

// place plays the scheduler.
func (r *rig) place(gang *slipwayv1.Gang, is bool) {
	r.t.Helper()
	editStatus(r, gang, func(g *slipwayv1.Gang) {
		g.Status.ObservedGeneration, g.Status.Placement = g.Generation, nil
		c := metav1.Condition{Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionFalse, Reason: "Evicted", Message: "gave its places to another"}
		if is {
			c.Status, c.Reason, c.Message = metav1.ConditionTrue, "Placed", "2 pods on 1 node"
			g.Status.Placement = []slipwayv1.PodSetPlacement{{Name: podSetName, Slots: []slipwayv1.Slot{{Node: "n1", Count: g.Spec.PodSets[0].Count}}}}
		}
		meta.SetStatusCondition(&g.Status.Conditions, c)
	})
}

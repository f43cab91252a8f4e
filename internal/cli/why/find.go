// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// kind that a plain name may be of.
type kind struct {
	schema.GroupVersionKind
	names []string // the first is that of Subject.String
}

// kinds in the order in which they are tried.
var kinds = []kind{
	{kubeflowv1.SchemeGroupVersion.WithKind(kubeflowv1.PyTorchJobKind), []string{"pytorchjob", "pytorchjobs"}},
	{slipwayv1.GroupVersion.WithKind("Model"), []string{"model", "models", "mdl"}},
	{batchv1.SchemeGroupVersion.WithKind("Job"), []string{"job", "jobs"}},
	{appsv1.SchemeGroupVersion.WithKind("Deployment"), []string{"deployment", "deployments", "deploy"}},
	{appsv1.SchemeGroupVersion.WithKind("StatefulSet"), []string{"statefulset", "statefulsets", "sts"}},
	{slipwayv1.GroupVersion.WithKind("Gang"), []string{"gang", "gangs", "gg"}},
	{corev1.SchemeGroupVersion.WithKind("Pod"), []string{"pod", "pods", "po"}},
	{slipwayv1.GroupVersion.WithKind("Project"), []string{"project", "projects", "prj"}},
	{corev1.SchemeGroupVersion.WithKind("Node"), []string{"node", "nodes", "no"}},
}

// Names of the kinds that need not be written, for help.
func Names() []string {
	var all []string
	for name := range Kinds() {
		all = append(all, name)
	}
	return all
}

// Kinds that need not be written, by name, in the order in which they are tried.
func Kinds() iter.Seq2[string, schema.GroupVersionKind] {
	return func(yield func(string, schema.GroupVersionKind) bool) {
		for _, k := range kinds {
			if !yield(k.names[0], k.GroupVersionKind) {
				return
			}
		}
	}
}

// Subject is what is asked about.
type Subject struct {
	Kind   schema.GroupVersionKind
	Object *unstructured.Unstructured
	// Gone says that the object is not there any more, but pods of it.
	Gone bool
}

// String is kind/name.
func (s Subject) String() string { return strings.ToLower(s.Kind.Kind) + "/" + s.Object.GetName() }

// Ref is what people wrote: a name, with its kind and namespace if they wrote these.
type Ref struct{ namespace, kind, name string }

// ParseRef reads what other commands and conditions print: NAME, KIND/NAME, NAMESPACE/NAME
// or NAMESPACE/KIND/NAME. Whether two words begin with a kind or a namespace is for Find to
// see.
func ParseRef(text string) (Ref, error) {
	parts := strings.Split(text, "/")
	if len(parts) > 3 || slices.Contains(parts, "") {
		return Ref{}, fmt.Errorf("%q names no object; write NAME or KIND/NAME, such as gang/tiny or pod/tiny-master-0", text)
	}
	parts = slices.Concat(make([]string, 3-len(parts)), parts)
	return Ref{parts[0], strings.ToLower(parts[1]), parts[2]}, nil
}

// Find the one object that is meant, in a namespace where none was written. A name alone is
// looked for in all of the kinds; of objects that have made one another the first counts.
func Find(ctx context.Context, c client.Client, ref Ref, namespace string) (Subject, error) {
	namespace = cmp.Or(ref.namespace, namespace)
	if IsGroup(ref.kind) {
		pods, err := podsIn(ctx, c, namespace)
		s, found := findGroup(pods, ref, namespace)
		if !found && err == nil {
			err = fmt.Errorf("no pod in namespace %s that slipway schedules is of the %s %q; see what waits with: slipway queue", namespace, ref.kind, ref.name)
		}
		return s, err
	}
	if ref.kind == "" {
		return findAny(ctx, c, ref.name, namespace)
	}
	k, err := kindOf(c, ref.kind)
	if err != nil {
		if ref.namespace == "" && mayBeNamespace(ctx, c, ref.kind) {
			return findAny(ctx, c, ref.name, ref.kind)
		}
		return Subject{}, err
	}
	s, err := get(ctx, c, k, namespace, ref.name)
	if apierrors.IsNotFound(err) {
		pods, err := podsIn(ctx, c, namespace)
		if remains, found := findRemains(pods, k, ref.name); found || err != nil {
			return remains, err
		}
		return s, notFound(c, k, ref, namespace)
	}
	return s, err
}

// mayBeNamespace says that there is a namespace of that name, as far as one may see: who may not read
// namespaces is told the rest by what is looked for in it.
func mayBeNamespace(ctx context.Context, c client.Client, name string) bool {
	err := c.Get(ctx, client.ObjectKey{Name: name}, &corev1.Namespace{})
	return err == nil || apierrors.IsForbidden(err)
}

// notFound is the error for an object of a known kind, which need not be in a namespace.
func notFound(c client.Client, k schema.GroupVersionKind, ref Ref, namespace string) error {
	if m, err := c.RESTMapper().RESTMapping(k.GroupKind(), k.Version); err == nil && m.Scope.Name() == meta.RESTScopeNameRoot {
		return fmt.Errorf("there is no %s %q; see what there is with: slipway kubectl get %s", ref.kind, ref.name, ref.kind)
	}
	return fmt.Errorf("there is no %s %q here (namespace %s); see what there is with: slipway kubectl get %s -A", ref.kind, ref.name, namespace, ref.kind)
}

// findAny object of a name, whatever kind it is of.
func findAny(ctx context.Context, c client.Client, name, namespace string) (Subject, error) {
	var found []Subject
	var denied error
	for _, k := range kinds {
		s, err := get(ctx, c, k.GroupVersionKind, namespace, name)
		switch {
		case err == nil:
			found = append(found, s)
		case apierrors.IsForbidden(err) && s.Kind.Kind != "Node" && s.Kind.Kind != "Project":
			denied = err
		case apierrors.IsForbidden(err): // few may see these, and seldom are they meant
		case !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err):
			return Subject{}, err
		}
	}
	found = slices.DeleteFunc(found, func(s Subject) bool {
		return slices.ContainsFunc(found, func(o Subject) bool { return metav1.IsControlledBy(s.Object, o.Object) })
	})
	if len(found) == 0 && denied == nil {
		var err error
		if found, err = findByPods(ctx, c, name, namespace); err != nil {
			return Subject{}, err
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Subject{}, fmt.Errorf("%q is %s; write one of them", name, alternatives(found))
	case denied != nil:
		return Subject{}, fmt.Errorf("nothing that you may see in namespace %s is named %q: %w", namespace, name, denied)
	}
	return Subject{}, fmt.Errorf("nothing in namespace %s is named %q, and no project or node; see what there is with: slipway ps -A, or name another kind: slipway why KIND/%[2]s", namespace, name)
}

// findByPods what only pods tell of, without an object of that name: groups, and what remains of jobs
// that are gone.
func findByPods(ctx context.Context, c client.Client, name, namespace string) ([]Subject, error) {
	pods, err := podsIn(ctx, c, namespace)
	var all []Subject
	for _, kind := range groupKinds {
		if s, found := findGroup(pods, Ref{kind: kind, name: name}, namespace); found {
			all = append(all, s)
		}
	}
	for _, k := range kinds {
		if s, found := findRemains(pods, k.GroupVersionKind, name); found {
			all = append(all, s)
		}
	}
	return all, err
}

func alternatives(found []Subject) string {
	var all []string
	for _, s := range found {
		all = append(all, s.String())
	}
	return strings.Join(all, " and ")
}

// kindOf a word: a name of the table, or as the API server names its resources.
func kindOf(c client.Client, word string) (schema.GroupVersionKind, error) {
	for _, k := range kinds {
		if slices.Contains(k.names, word) {
			return k.GroupVersionKind, nil
		}
	}
	found, err := c.RESTMapper().KindFor(schema.ParseGroupResource(word).WithVersion(""))
	if meta.IsNoMatchError(err) {
		return schema.GroupVersionKind{}, fmt.Errorf("the cluster has no kind %q; use one such as %s", word, strings.Join(Names(), ", "))
	}
	return found, err
}

func get(ctx context.Context, c client.Client, k schema.GroupVersionKind, namespace, name string) (Subject, error) {
	s := Subject{Kind: k, Object: &unstructured.Unstructured{}}
	s.Object.SetGroupVersionKind(k)
	return s, c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, s.Object)
}

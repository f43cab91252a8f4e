// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// fakeCluster is an API server and a front door, as much of them as commands
// use: objects are kept, applied by laying one over the other, and watched.
type fakeCluster struct {
	*httptest.Server
	*store
	// logs of pods, by name; react is called after an object was created.
	logs  map[string]string
	react func(object)

	// starting refuses everybody, as an API server does that was just started.
	starting atomic.Bool
	// denied are the resources that nobody may list in all namespaces.
	denied []string

	sentMu sync.Mutex
	sent   []string // requests that change something
}

// fakeKinds are the kinds that it has: resource to kind, by group and version.
func fakeKinds() map[string]map[string]string {
	return map[string]map[string]string{
		"v1": {
			"pods": "Pod", "namespaces": "Namespace", "serviceaccounts": "ServiceAccount",
			"persistentvolumeclaims": "PersistentVolumeClaim", "configmaps": "ConfigMap",
			"nodes": "Node", "events": "Event",
		},
		"apps/v1":                      {"deployments": "Deployment", "replicasets": "ReplicaSet"},
		"rbac.authorization.k8s.io/v1": {"roles": "Role", "rolebindings": "RoleBinding"},
		"batch/v1":                     {"jobs": "Job"},
		"resource.k8s.io/v1":           {"resourceclaimtemplates": "ResourceClaimTemplate", "resourceclaims": "ResourceClaim"},
		"scheduling.k8s.io/v1":         {"priorityclasses": "PriorityClass"},
		"kubeflow.org/v1":              {"pytorchjobs": "PyTorchJob"},
		"slipway.dev/v1alpha1":         {"models": "Model", "gangs": "Gang", "projects": "Project"},
	}
}

// clusterWide are the resources that are in no namespace.
var clusterWide = []string{"namespaces", "nodes", "projects", "priorityclasses"}

func resourceOf(o object) string {
	for resource, kind := range fakeKinds()[o.GetAPIVersion()] {
		if kind == o.GetKind() {
			return resource
		}
	}
	panic("the fake cluster has no " + o.GetKind())
}

func startFake() *fakeCluster {
	f := &fakeCluster{store: newStore(), logs: map[string]string{}, react: func(object) {}}
	mux := http.NewServeMux()
	mux.HandleFunc("/api", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, metav1.APIVersions{Versions: []string{"v1"}})
	})
	mux.HandleFunc("/apis", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, fakeGroups()) })
	mux.HandleFunc("/api/{version}", f.kinds)
	mux.HandleFunc("/apis/{group}/{version}", f.kinds)
	for _, root := range []string{"/api/v1", "/apis/{group}/{version}"} {
		mux.HandleFunc(root+"/{resource}", f.serve)
		mux.HandleFunc(root+"/{resource}/{name}", f.serve)
		mux.HandleFunc(root+"/namespaces/{namespace}/{resource}", f.serve)
		mux.HandleFunc(root+"/namespaces/{namespace}/{resource}/{name}", f.serve)
		mux.HandleFunc(root+"/namespaces/{namespace}/{resource}/{name}/{sub}", f.subresource)
	}
	mux.HandleFunc("/v1/", f.frontDoor)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.starting.Load() {
			refuse(w, apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("the roles are not read yet")))
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return f
}

func fakeGroups() metav1.APIGroupList {
	var list metav1.APIGroupList
	for version := range fakeKinds() {
		if group, v, found := strings.Cut(version, "/"); found {
			named := metav1.GroupVersionForDiscovery{GroupVersion: version, Version: v}
			list.Groups = append(list.Groups, metav1.APIGroup{Name: group, Versions: []metav1.GroupVersionForDiscovery{named}, PreferredVersion: named})
		}
	}
	return list
}

func groupVersion(r *http.Request) string {
	if group := r.PathValue("group"); group != "" {
		return group + "/" + r.PathValue("version")
	}
	return "v1"
}

func (f *fakeCluster) kinds(w http.ResponseWriter, r *http.Request) {
	list := metav1.APIResourceList{GroupVersion: groupVersion(r)}
	for name, kind := range fakeKinds()[groupVersion(r)] {
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: name, Kind: kind, Namespaced: !slices.Contains(clusterWide, name),
			Verbs: metav1.Verbs{"get", "list", "watch", "create", "patch", "delete"},
		})
	}
	answer(w, 200, list)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, err *apierrors.StatusError) {
	err.ErrStatus.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	answer(w, int(err.ErrStatus.Code), err.ErrStatus)
}

// record keeps requests that change something, dry runs as such.
func (f *fakeCluster) record(r *http.Request) (dryRun bool) {
	line := r.Method + " " + r.URL.Path
	dryRun = r.URL.Query().Get("dryRun") == "All"
	if r.Method == http.MethodDelete {
		options, _ := io.ReadAll(r.Body)
		dryRun = bytes.Contains(options, []byte(`"dryRun":["All"]`))
	}
	if dryRun {
		line += " (dry run)"
	}
	f.sentMu.Lock()
	defer f.sentMu.Unlock()
	f.sent = append(f.sent, line)
	return dryRun
}

func (f *fakeCluster) requests() string {
	f.sentMu.Lock()
	defer f.sentMu.Unlock()
	defer func() { f.sent = nil }()
	if len(f.sent) == 0 {
		return ""
	}
	return strings.Join(f.sent, "\n") + "\n"
}

func (f *fakeCluster) serve(w http.ResponseWriter, r *http.Request) {
	resource, namespace, name := r.PathValue("resource"), r.PathValue("namespace"), r.PathValue("name")
	if fakeKinds()[groupVersion(r)][resource] == "" {
		refuse(w, apierrors.NewNotFound(schema.GroupResource{Resource: resource}, name))
		return
	}
	here, there := key(resource, namespace, name), f.get(key(resource, namespace, name))
	missing := apierrors.NewNotFound(schema.GroupResource{Group: r.PathValue("group"), Resource: resource}, name)
	switch {
	case name == "" && r.Method == http.MethodPost:
		f.create(w, r)
	case name == "":
		f.list(w, r)
	case r.Method == http.MethodPatch:
		f.apply(w, r, there)
	case there == nil:
		refuse(w, missing)
	case r.Method == http.MethodDelete && there.GetAnnotations()["keep"] != "":
		refuse(w, apierrors.NewForbidden(schema.GroupResource{Group: r.PathValue("group"), Resource: resource}, name, errors.New("it is kept")))
	case r.Method == http.MethodDelete:
		if !f.record(r) {
			f.end(resource, here)
		}
		answer(w, 200, there)
	default:
		answer(w, 200, there)
	}
}

// decode reads the object of a request. One that is annotated so is refused, as
// if a field were wrong.
func decode(w http.ResponseWriter, r *http.Request) object {
	body, _ := io.ReadAll(r.Body)
	fields := map[string]any{}
	if err := yaml.Unmarshal(body, &fields); err != nil {
		refuse(w, apierrors.NewBadRequest(err.Error()))
		return nil
	}
	o := &unstructured.Unstructured{Object: fields}
	o.SetNamespace(r.PathValue("namespace"))
	if field := o.GetAnnotations()["refuse"]; field != "" {
		status := apierrors.NewInvalid(o.GroupVersionKind().GroupKind(), o.GetName(), nil)
		status.ErrStatus.Details.Causes = []metav1.StatusCause{{Field: field, Message: "is wrong"}}
		status.ErrStatus.Message = fmt.Sprintf("%s %q is invalid: %s: is wrong", o.GetKind(), o.GetName(), field)
		refuse(w, status)
		return nil
	}
	return o
}

func (f *fakeCluster) create(w http.ResponseWriter, r *http.Request) {
	dryRun, o := f.record(r), decode(w, r)
	switch {
	case o == nil:
	case f.get(key(r.PathValue("resource"), o.GetNamespace(), o.GetName())) != nil:
		refuse(w, apierrors.NewAlreadyExists(schema.GroupResource{Group: r.PathValue("group"), Resource: r.PathValue("resource")}, o.GetName()))
	case dryRun:
		answer(w, 201, o)
	default:
		stored := f.put(r.PathValue("resource"), o)
		answer(w, 201, stored)
		f.react(stored)
	}
}

func (f *fakeCluster) apply(w http.ResponseWriter, r *http.Request, there object) {
	dryRun, o := f.record(r), decode(w, r)
	switch {
	case o == nil:
	case dryRun && there == nil:
		answer(w, 200, o)
	case there != nil && (dryRun || covers(there.Object, o.Object)):
		answer(w, 200, there)
	default:
		if there != nil {
			lay(o.Object, there.Object)
			o = there
		}
		stored := f.put(r.PathValue("resource"), o)
		answer(w, 200, stored)
		f.react(stored)
	}
}

// covers says that an object has all of the fields already.
func covers(has, wants map[string]any) bool {
	for field, want := range wants {
		a, aMap := has[field].(map[string]any)
		b, bMap := want.(map[string]any)
		if aMap && bMap && covers(a, b) || fmt.Sprint(has[field]) == fmt.Sprint(want) {
			continue
		}
		return false
	}
	return true
}

func lay(over, on map[string]any) {
	for field, value := range over {
		a, aMap := value.(map[string]any)
		b, bMap := on[field].(map[string]any)
		if aMap && bMap {
			lay(a, b)
			continue
		}
		on[field] = value
	}
}

func (f *fakeCluster) list(w http.ResponseWriter, r *http.Request) {
	if resource := r.PathValue("resource"); r.PathValue("namespace") == "" && slices.Contains(f.denied, resource) {
		refuse(w, apierrors.NewForbidden(schema.GroupResource{Group: r.PathValue("group"), Resource: resource}, "", fmt.Errorf(`User "guest" cannot list resource %q in API group %q at the cluster scope`, resource, r.PathValue("group"))))
		return
	}
	query := r.URL.Query()
	m := match{resource: r.PathValue("resource"), namespace: r.PathValue("namespace")}
	m.labels, _ = labels.Parse(query.Get("labelSelector"))
	m.fields, _ = fields.ParseSelector(query.Get("fieldSelector"))
	found, version := f.store.list(m)
	if query.Get("watch") != "" {
		f.watch(w, r, m, found, version)
		return
	}
	slices.SortFunc(found, func(a, b object) int { return strings.Compare(a.GetName(), b.GetName()) })
	answer(w, 200, map[string]any{
		"apiVersion": groupVersion(r), "kind": fakeKinds()[groupVersion(r)][m.resource] + "List",
		"metadata": map[string]any{"resourceVersion": strconv.Itoa(version)}, "items": found,
	})
}

// watch sends what there is, if that is asked for, a bookmark, and what comes.
func (f *fakeCluster) watch(w http.ResponseWriter, r *http.Request, m match, found []object, version int) {
	w.Header().Set("Content-Type", "application/json")
	encoder, flush := json.NewEncoder(w), http.NewResponseController(w).Flush
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		for _, o := range found {
			_ = encoder.Encode(change{Type: "ADDED", Object: o})
		}
		mark := &unstructured.Unstructured{Object: map[string]any{}}
		mark.SetAPIVersion(groupVersion(r))
		mark.SetKind(fakeKinds()[groupVersion(r)][m.resource])
		mark.SetResourceVersion(strconv.Itoa(version))
		mark.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
		_ = encoder.Encode(change{Type: "BOOKMARK", Object: mark})
	} else if asked, err := strconv.Atoi(r.URL.Query().Get("resourceVersion")); err == nil {
		version = asked
	}
	for {
		_ = flush()
		changes, more := f.since(version)
		for _, c := range changes {
			version++
			if c.resource == m.resource && m.object(c.Object) {
				_ = encoder.Encode(c)
			}
		}
		_ = flush()
		select {
		case <-more:
		case <-r.Context().Done():
			return
		}
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// podReader has some pods, whatever it is asked for.
type podReader struct {
	client.Reader
	pods []corev1.Pod
}

func (r podReader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*corev1.PodList).Items = r.pods
	return nil
}

// TestGetLoose: pods of one holder, by age, whichever others have its name.
func TestGetLoose(t *testing.T) {
	pod := func(name, kind, owner string, created int64) corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team", CreationTimestamp: metav1.Unix(created, 0)}}
		p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: owner, Controller: ptr.To(true)}}
		return p
	}
	r := podReader{pods: []corev1.Pod{
		pod("db-0", "StatefulSet", "db", 20), pod("db-1", "StatefulSet", "db", 10), pod("db-x", "DaemonSet", "db", 5), pod("web-0", "StatefulSet", "web", 5), podOf(0),
	}}
	for text, want := range map[string]string{
		"sts/db":             "StatefulSet: db-1 db-0",
		"daemonset/db":       "DaemonSet: db-x",
		"pod/db-0":           "Pod: db-0",
		"pod/tiny-master-0":  "Pod: tiny-master-0 (pytorch)",
		"statefulset/db-0":   "",
		"pod/db":             "",
		"replicaset/nothing": "",
	} {
		ref, err := ParseRef(text)
		if err != nil {
			t.Fatal(err)
		}
		w, err := Get(t.Context(), r, ref.Kinds[0], "team", ref.Name)
		if want == "" {
			if !errors.As(err, new(NoneError)) {
				t.Errorf("%s: got %v, %v; want that there is none", text, w, err)
			}
			continue
		}
		var names []string
		for _, p := range w.Pods {
			names = append(names, p.Name)
		}
		got := w.Kind.Title + ": " + strings.Join(names, " ")
		if w.Kind.Container != "" {
			got += " (" + w.Kind.Container + ")"
		}
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", text, got, err, want)
		}
	}
}

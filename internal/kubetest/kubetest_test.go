// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"slipway.dev/slipway/internal/kubetest"
)

func TestStart(t *testing.T) {
	began := time.Now()
	config := kubetest.Start(t)
	t.Logf("ready after %s", time.Since(began))
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := client.Discovery().ServerGroups()
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for _, group := range groups.Groups {
		served[group.Name] = true
	}
	for _, want := range []string{"slipway.dev", "kubeflow.org"} {
		if !served[want] {
			t.Errorf("the API server does not serve group %s", want)
		}
	}
	namespace := kubetest.Namespace(t, config)
	if _, err := client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

// TestLimited: a user may do what its rules say, and no more.
func TestLimited(t *testing.T) {
	config := kubetest.Start(t)
	namespace := kubetest.Namespace(t, config)
	rules := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}}}
	c := kubetest.Client(t, kubetest.Limited(t, config, "maker-"+namespace, rules))
	made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "made"}}
	if err := c.Create(t.Context(), made); err != nil {
		t.Error(err)
	}
	if err := c.Delete(t.Context(), made); !apierrors.IsForbidden(err) {
		t.Errorf("deleting: %v", err)
	}
}

// TestAwait sees what is there, what changes and what comes; not what is gone.
func TestAwait(t *testing.T) {
	config := kubetest.Start(t)
	c, namespace := kubetest.Client(t, config), kubetest.Namespace(t, config)
	made := func(name string) *corev1.ConfigMap {
		t.Helper()
		m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		if err := c.Create(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	a := made("a")
	changed := kubetest.Await(t, c, a, "its change", func(m *corev1.ConfigMap) bool {
		if len(m.Data) == 0 {
			kubetest.Edit(t, c, a, func(m *corev1.ConfigMap) { m.Data = map[string]string{"says": "yes"} })
		}
		return m.Data["says"] == "yes"
	})
	if changed.UID != a.UID {
		t.Errorf("saw %+v", changed)
	}
	again := kubetest.Await(t, c, a, "another one", func(m *corev1.ConfigMap) bool {
		if m.UID == a.UID {
			if err := c.Delete(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			made("a")
		}
		return m.UID != a.UID
	})
	if len(again.Data) > 0 {
		t.Errorf("saw %+v", again)
	}
	list := kubetest.AwaitList(t, c, namespace, "two", &corev1.ConfigMapList{}, func(l *corev1.ConfigMapList) bool {
		if len(l.Items) == 1 {
			made("b")
		}
		return len(l.Items) == 2
	})
	if list.Items[0].UID != again.UID || list.Items[1].Name != "b" {
		t.Errorf("saw %+v", list.Items)
	}
}

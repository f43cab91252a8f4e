// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest_test

import (
	"testing"
	"time"

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

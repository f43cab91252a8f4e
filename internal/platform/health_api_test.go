// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"slipway.dev/slipway/internal/kubetest"
)

// rig is a server of metrics that runs as the platform's user, before a real API
// server.
type rig struct {
	*testing.T
	clients *kubernetes.Clientset
	ns, url string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	config := kubetest.Start(t)
	r := &rig{T: t, ns: kubetest.Namespace(t, config)}
	var err error
	r.clients, err = kubernetes.NewForConfig(config)
	r.must(err)
	r.bind("slipway:platform", rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "slipway:platform"})
	r.serve(kubetest.As(config, "slipway:platform"))
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// serve starts the server of metrics on a free port.
func (r *rig) serve(config *rest.Config) {
	r.Helper()
	client, err := rest.HTTPClientFor(config)
	r.must(err)
	server, err := metricsserver.NewServer(metrics("127.0.0.1:0"), config, client)
	r.must(err)
	r.must(server.AddExtraHandler(healthPath, health(caches(true))))
	r.must(server.AddExtraHandler("/debug/scheduler", http.NotFoundHandler()))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Start(ctx) }()
	r.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			r.Error(err)
		}
	})
	for bound := server.(interface{ GetBindAddr() string }); ; runtime.Gosched() {
		if address := bound.GetBindAddr(); address != "" {
			r.url = "https://" + address
			return
		}
	}
}

func (r *rig) bind(role string, subject rbacv1.Subject) {
	r.Helper()
	_, err := r.clients.RbacV1().ClusterRoleBindings().Create(r.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: r.ns + "-" + subject.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{subject},
	}, metav1.CreateOptions{})
	r.must(err)
}

// token is one of a new ServiceAccount, good for the API server.
func (r *rig) token(account string) string {
	r.Helper()
	accounts := r.clients.CoreV1().ServiceAccounts(r.ns)
	_, err := accounts.Create(r.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}, metav1.CreateOptions{})
	r.must(err)
	request, err := accounts.CreateToken(r.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	r.must(err)
	return request.Status.Token
}

func (r *rig) get(path, token string) int {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.url+path, nil)
	r.must(err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // it is self-signed
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	r.must(err)
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	r.must(err)
	return response.StatusCode
}

// TestWhoReadsMetrics: those whom RBAC lets, and everybody reads health.
func TestWhoReadsMetrics(t *testing.T) {
	r := newRig(t)
	r.bind("system:monitoring", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: r.ns, Name: "monitor"})
	r.bind("slipway:debug", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: r.ns, Name: "debugger"})
	monitor, other, debugger := r.token("monitor"), r.token("other"), r.token("debugger")
	for _, c := range []struct {
		name, path, token string
		want              int
	}{
		{"nobody", "/metrics", "", 401},
		{"a made-up token", "/metrics", "x", 401},
		{"a pod's account", "/metrics", other, 403},
		{"a monitor", "/metrics", monitor, 200},
		{"health", "/healthz", "", 200},
		{"a monitor that looks into the scheduler", "/debug/scheduler", monitor, 403},
		{"who may", "/debug/scheduler", debugger, 404},
	} {
		if got := r.get(c.path, c.token); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// caches are filled or not.
type caches bool

func (c caches) WaitForCacheSync(context.Context) bool { return bool(c) }

func TestHealthIsThatOfTheCaches(t *testing.T) {
	for filled, want := range map[caches]int{true: 200, false: 500} {
		answer := httptest.NewRecorder()
		health(filled).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, healthPath, nil))
		if answer.Code != want {
			t.Errorf("filled %v: got %d, want %d", filled, answer.Code, want)
		}
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// rig is a namespace of a real API server, with a front door that runs as a user
// who has its rules and no more.
type rig struct {
	*testing.T
	client client.Client
	config *rest.Config
	ns     string
	url    string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, config: kubetest.Start(t)}
	r.ns = kubetest.Namespace(t, r.config)
	r.client = kubetest.Client(t, r.config, slipwayv1.AddToScheme)
	limited := kubetest.Limited(t, r.config, "frontdoor-"+r.ns, Rules())
	mgr := kubetest.Manager(t, limited, r.client.Scheme(), cache.Options{ByObject: Cache()})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	r.must(Setup(mgr, listener))
	r.url = "http://" + listener.Addr().String()
	kubetest.Run(t, mgr)
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) create(o client.Object) {
	r.Helper()
	r.must(r.client.Create(r.Context(), o))
}

// key makes a ServiceAccount, if need be, and a token of it.
func (r *rig) key(account string, audiences ...string) string {
	r.Helper()
	object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: account}}
	r.must(client.IgnoreAlreadyExists(r.client.Create(r.Context(), object)))
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences}}
	r.must(r.client.SubResource("token").Create(r.Context(), object, request))
	return request.Status.Token
}

// allow lets a ServiceAccount use the models of the namespace, or only some.
func (r *rig) allow(account string, models ...string) {
	r.Helper()
	name := "use-" + account
	r.create(&rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: name},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"slipway.dev"}, Resources: []string{"models"}, Verbs: []string{"use"}, ResourceNames: models}},
	})
	r.create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: r.ns, Name: account}},
	})
}

func (r *rig) model(name string) *slipwayv1.Model {
	r.Helper()
	model := &slipwayv1.Model{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: name},
		Spec:       slipwayv1.ModelSpec{Engine: slipwayv1.Engine{Container: &slipwayv1.ContainerEngine{Image: "engine:1"}}},
	}
	r.create(model)
	return model
}

// serve plays the controllers that make EndpointSlices.
func (r *rig) serve(model string, engine *httptest.Server) *discoveryv1.EndpointSlice {
	r.Helper()
	host, port, err := net.SplitHostPort(engine.Listener.Addr().String())
	r.must(err)
	number, err := strconv.ParseInt(port, 10, 32)
	r.must(err)
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "model-" + model + "-1",
			Labels: map[string]string{slipwayv1.LabelModel: model, discoveryv1.LabelServiceName: "model-" + model}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To(int32(number))}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{host}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}}},
	}
	r.create(slice)
	return slice
}

// engine answers on an address that an EndpointSlice may hold: the API server
// refuses those of the loopback.
func (r *rig) engine(handle http.HandlerFunc) *httptest.Server {
	r.Helper()
	addresses, err := net.InterfaceAddrs()
	r.must(err)
	for _, address := range addresses {
		network, is := address.(*net.IPNet)
		if !is || network.IP.To4() == nil || !network.IP.IsGlobalUnicast() {
			continue
		}
		engine := httptest.NewUnstartedServer(handle)
		engine.Listener.Close()
		engine.Listener, err = net.Listen("tcp", net.JoinHostPort(network.IP.String(), "0"))
		r.must(err)
		engine.Start()
		r.Cleanup(engine.Close)
		return engine
	}
	r.Skip("this machine has no IPv4 address but the loopback's")
	return nil
}

// until asks, as fast as answers come, until the front door has seen what was
// changed and answers with the status and words.
func (r *rig) until(status int, words, key, method, path, body string) {
	r.Helper()
	var got int
	var answer string
	for began := time.Now(); time.Since(began) < kubetest.Patience; {
		if got, answer = r.ask(key, method, path, body); got == status && strings.Contains(answer, words) {
			return
		}
	}
	r.Errorf("%s %s: still %d %s, want %d %s", method, path, got, answer, status, words)
}

func (r *rig) ask(key, method, path, body string) (int, string) {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), method, r.url+path, strings.NewReader(body))
	r.must(err)
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	r.must(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	r.must(err)
	return response.StatusCode, string(answer)
}

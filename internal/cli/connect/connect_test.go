// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

func TestDataDirectory(t *testing.T) {
	for _, c := range []struct {
		flag string
		root bool
		env  map[string]string
		want string
	}{
		{"/flag", true, map[string]string{"SLIPWAY_DATA_DIR": "/variable"}, "/flag"},
		{"", true, map[string]string{"SLIPWAY_DATA_DIR": "/variable"}, "/variable"},
		{"", true, map[string]string{"XDG_DATA_HOME": "/xdg"}, "/var/lib/slipway"},
		{"", false, map[string]string{"XDG_DATA_HOME": "/xdg", "HOME": "/home/me"}, "/xdg/slipway"},
		{"", false, map[string]string{"XDG_DATA_HOME": "relative", "HOME": "/home/me"}, "/home/me/.local/share/slipway"},
		{"", false, map[string]string{"HOME": "/home/me"}, "/home/me/.local/share/slipway"},
	} {
		if got := dataDirectory(c.flag, c.root, func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestKnownNamespace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := `{apiVersion: v1, kind: Config, current-context: a, contexts: [
		{name: a, context: {cluster: a, namespace: team}}, {name: b, context: {cluster: a}}]}`
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags Flags
		want  string
	}{
		{Flags{Kubeconfig: file}, "team"},
		{Flags{Kubeconfig: file, Namespace: "other"}, "other"},
		{Flags{Kubeconfig: file, Context: "b"}, ""},
		{Flags{Kubeconfig: file + "x"}, ""},
	} {
		if got := c.flags.KnownNamespace(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.flags, got, c.want)
		}
	}
}

func TestExplain(t *testing.T) {
	request := func(err error) error {
		return fmt.Errorf("listing: %w", &url.Error{Op: "Get", URL: "https://10.112.0.1:6443/api/v1/pods?limit=5", Err: err})
	}
	pods := schema.GroupResource{Resource: "pods"}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"refused", request(&os.SyscallError{Syscall: "connect", Err: syscall.ECONNREFUSED}),
			"cannot reach the cluster at https://10.112.0.1:6443: connection refused; start one with: slipway up"},
		{"slow", request(context.DeadlineExceeded), "cannot reach the cluster at https://10.112.0.1:6443: context deadline exceeded; start"},
		{"another's certificate", request(x509.UnknownAuthorityError{}), "what answers at https://10.112.0.1:6443 is not the cluster of this kubeconfig (x509: "},
		{"forbidden", apierrors.NewForbidden(pods, "a", errors.New("no")), `pods "a" is forbidden: no; ask for a role that allows it`},
		{"forbidden by role", apierrors.NewForbidden(schema.GroupResource{Group: "slipway.dev", Resource: "projects"}, "",
			errors.New(`User "ada@lab" cannot list resource "projects" in API group "slipway.dev" at the cluster scope`)),
			`you may not list projects.slipway.dev of the whole cluster; ` +
				"an administrator allows it with: slipway kubectl create clusterrolebinding ada-lab-slipway-view --clusterrole slipway:view --user ada@lab"},
		{"unauthorized", apierrors.NewUnauthorized("expired"), "the cluster does not accept the credentials of this kubeconfig (expired); renew them"},
		{"no kind", fmt.Errorf("job.yaml: %w", &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "ray.io", Kind: "RayJob"}, SearchedVersions: []string{"v1"}}),
			`job.yaml: no matches for kind "RayJob" in version "ray.io/v1"; the cluster does not have that kind`},
		{"half started", fmt.Errorf("making x: %w", &apiutil.ErrResourceDiscoveryFailed{{Group: "kubeflow.org", Version: "v1"}: errors.New("not yet")}),
			"making x: unable to retrieve the complete list of server APIs: kubeflow.org/v1: not yet; the cluster does not offer that API now"},
		{"starting", Needing(RoleObserve, fmt.Errorf("failed to get server groups: %w", apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("no role")))),
			"the cluster does not say yet what it offers, it is still starting; try again, and see: slipway status"},
		{"busy", apierrors.NewTooManyRequestsError("wait"), "the cluster is busy (Too many requests: wait); try again"},
		{"not found", apierrors.NewNotFound(pods, "a"), `pods "a" not found`},
		{"any other", errors.New("other"), "other"},
	} {
		if got := Explain(c.err); !strings.HasPrefix(got.Error(), c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
	if Explain(nil) != nil {
		t.Error("no error is explained")
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// envPlatform makes the program of the tests a platform of that identity.
const envPlatform = "SLIPWAY_TEST_PLATFORM"

func TestMain(m *testing.M) {
	if identity := os.Getenv(envPlatform); identity != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		err := Run(ctx, Options{Identity: identity, Kubeconfig: os.Getenv("KUBECONFIG"),
			Listen: os.Getenv("LISTEN"), HealthListen: "127.0.0.1:0"})
		fmt.Fprintln(os.Stderr, "the platform ended:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// fleet is an API server on which several platforms run, each a process of its own.
type fleet struct {
	*testing.T
	client         client.WithWatch
	ns, kubeconfig string
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	config := kubetest.Start(t)
	f := &fleet{T: t, ns: kubetest.Namespace(t, config)}
	f.client = kubetest.Client(t, config, slipwayv1.AddToScheme)
	f.Cleanup(func() { // The platforms of the next test see every namespace, and count who led before.
		_ = f.client.DeleteAllOf(context.Background(), &slipwayv1.Gang{}, client.InNamespace(f.ns))
		_ = f.client.DeleteAllOf(context.Background(), &coordinationv1.Lease{}, client.InNamespace(homeNamespace))
	})
	f.must(client.IgnoreAlreadyExists(f.client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: homeNamespace}})))
	f.must(f.client.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: f.ns + "-fleet"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "slipway:platform"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "slipway:platform"}},
	}))
	f.kubeconfig = kubetest.Kubeconfig(t, kubetest.As(config, "slipway:platform"), "")
	return f
}

func (f *fleet) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// member of the fleet.
type member struct {
	cmd *exec.Cmd
	// door is the URL of its front door.
	door string
}

func (f *fleet) start(identity string) *member {
	f.Helper()
	self, err := os.Executable()
	f.must(err)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	f.must(err)
	address := free.Addr().String()
	f.must(free.Close())
	m := &member{cmd: exec.Command(self), door: "http://" + address}
	m.cmd.Env = append(os.Environ(), envPlatform+"="+identity, "KUBECONFIG="+f.kubeconfig, "LISTEN="+address)
	log, err := os.Create(filepath.Join(f.TempDir(), identity+".log"))
	f.must(err)
	m.cmd.Stdout, m.cmd.Stderr = log, log
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	f.must(m.cmd.Start())
	f.Cleanup(func() {
		m.kill()
		if text, err := os.ReadFile(log.Name()); f.Failed() && err == nil {
			f.Logf("%s: %s", identity, text)
		}
	})
	return m
}

// kill as a power cut would.
func (m *member) kill() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}

// serves says that the front door answers, even if only that a key is missing.
func (f *fleet) serves(m *member) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), kubetest.Patience)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.door+"/v1/models", nil)
		f.must(err)
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode != http.StatusUnauthorized {
				f.Errorf("the front door answers %s to somebody without a key", response.Status)
			}
			return
		}
		if ctx.Err() != nil {
			f.Fatalf("the front door at %s does not answer", m.door)
		}
	}
}

// led waits for the identity to lead.
func (f *fleet) led(identity string) *coordinationv1.Lease {
	f.Helper()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: homeNamespace, Name: leaseName}}
	return kubetest.Await(f, f.client, lease, identity+" to lead", func(l *coordinationv1.Lease) bool {
		return ptr.Deref(l.Spec.HolderIdentity, "") == identity
	})
}

func (f *fleet) gang(name string, gpus int64) {
	f.Helper()
	f.must(f.client.Create(f.Context(), &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.ns},
		Spec: slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{Name: "worker", Count: 1, Requests: corev1.ResourceList{
			"nvidia.com/gpu": *resource.NewQuantity(gpus, resource.DecimalSI)}}}},
	}))
}

// answered waits for the gang's condition Placed.
func (f *fleet) answered(name string, status metav1.ConditionStatus) *slipwayv1.Gang {
	f.Helper()
	gang := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Namespace: f.ns, Name: name}}
	return kubetest.Await(f, f.client, gang, "Placed to be "+string(status), func(g *slipwayv1.Gang) bool {
		return meta.IsStatusConditionPresentAndEqual(g.Status.Conditions, slipwayv1.ConditionPlaced, status)
	})
}

// node with so many GPUs.
func (f *fleet) node(name string, gpus int64) {
	f.Helper()
	room := corev1.ResourceList{"nvidia.com/gpu": *resource.NewQuantity(gpus, resource.DecimalSI), corev1.ResourcePods: resource.MustParse("110")}
	kubetest.Node(f, f.client, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{
		Allocatable: room, Capacity: room,
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
	}})
}

// TestAPIOneLeads: of two platforms one decides, both serve; when the leader dies its
// successor on the same host goes on at once, and when it is not heard of the other one
// does, and it ends when it comes back. Nothing that was decided is decided anew.
func TestAPIOneLeads(t *testing.T) {
	f := newFleet(t)
	f.node("n1", 8)
	first := f.start("a")
	f.led("a")
	second := f.start("b")
	f.serves(first)
	f.serves(second)
	f.gang("g1", 3)
	before := f.answered("g1", metav1.ConditionTrue)

	first.kill()
	f.gang("g2", 3)
	first = f.start("a")
	f.answered("g2", metav1.ConditionTrue)
	if lease := f.led("a"); *lease.Spec.LeaseTransitions != 0 {
		t.Errorf("the lease changed hands %d times; a successor on the same host takes it over", *lease.Spec.LeaseTransitions)
	}

	f.must(first.cmd.Process.Signal(syscall.SIGSTOP)) // as a machine is suspended
	f.gang("g3", 3)
	f.led("b")
	f.answered("g3", metav1.ConditionFalse)
	f.must(first.cmd.Process.Signal(syscall.SIGCONT))
	if err := first.cmd.Wait(); err == nil {
		t.Error("a leader that another one has replaced ends as if all were well")
	}
	f.serves(second)
	if after := f.answered("g1", metav1.ConditionTrue); after.ResourceVersion != before.ResourceVersion {
		t.Errorf("gang g1 was written again: %+v, then %+v", before.Status, after.Status)
	}
	f.must(f.client.Delete(t.Context(), before))
	f.answered("g3", metav1.ConditionTrue)
	f.answered("g2", metav1.ConditionTrue)

	f.start("a")
	f.must(second.cmd.Process.Signal(syscall.SIGTERM))
	f.led("") // it steps down, rather than let the other one wait
	f.led("a")
}

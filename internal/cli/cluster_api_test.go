// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/keys"
	"slipway.dev/slipway/internal/kubetest"
)

// terminal runs commands against a real API server, in a namespace of its own.
type terminal struct {
	t      *testing.T
	file   string
	client client.Client
	// namespace that commands find in the kubeconfig.
	namespace string
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	config := kubetest.Start(t)
	scheme, err := connect.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	namespace := kubetest.Namespace(t, config)
	return &terminal{t, kubetest.Kubeconfig(t, config, namespace), c, namespace}
}

// run returns what a command printed, and its exit code.
func (x *terminal) run(stdin string, args ...string) (stdout, stderr string, code int) {
	x.t.Helper()
	var out, problems bytes.Buffer
	code = Main(x.t.Context(), Program{
		Args:  append([]string{"slipway", "--kubeconfig", x.file}, args...),
		Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &problems,
	})
	return out.String(), problems.String(), code
}

// must run a command that prints this.
func (x *terminal) must(want string, args ...string) string {
	x.t.Helper()
	out, problems, code := x.run("", args...)
	if code != 0 || !strings.Contains(out, want) {
		x.t.Fatalf("slipway %s: exit code %d, want it to print %q\n%s%s", strings.Join(args, " "), code, want, out, problems)
	}
	return out
}

// refuse runs a command that fails with one line that says this.
func (x *terminal) refuse(stdin, want string, args ...string) {
	x.t.Helper()
	_, problems, code := x.run(stdin, args...)
	if code == 0 || !strings.Contains(problems, want) || strings.Count(problems, "\n") != 1 {
		x.t.Errorf("slipway %s: exit code %d, want it to say %q in one line\n%s", strings.Join(args, " "), code, want, problems)
	}
}

func TestTrainOnAnAPIServer(t *testing.T) {
	x := newTerminal(t)
	x.must("pytorchjob/tiny would be created", "train", "tiny", "--image", "a", "--dry-run=server")
	x.must("pytorchjob/tiny created", "train", "tiny", "--image", "a", "--workers", "3",
		"--volume", "data:/data", "--volume-size", "1Gi", "--max-run-time", "90m", "--", "python", "t.py")
	var job kubeflowv1.PyTorchJob
	if err := x.client.Get(t.Context(), client.ObjectKey{Namespace: x.namespace, Name: "tiny"}, &job); err != nil {
		t.Fatal(err)
	}
	if n := *job.Spec.PyTorchReplicaSpecs["Worker"].Replicas; n != 2 || *job.Spec.RunPolicy.ActiveDeadlineSeconds != 5400 {
		t.Errorf("%d workers, deadline %d", n, *job.Spec.RunPolicy.ActiveDeadlineSeconds)
	}
	x.refuse("", "pytorchjob/tiny exists already", "train", "tiny", "--image", "a")
	x.must("Pending", "ps")
	x.must("pytorchjob/tiny would be deleted", "delete", "tiny", "--dry-run")
	x.must("pytorchjob/tiny deleted", "delete", "tiny")
	x.refuse("", `there is no PyTorchJob, Job or Model "tiny"`, "delete", "tiny")
	var claim corev1.PersistentVolumeClaim
	if err := x.client.Get(t.Context(), client.ObjectKey{Namespace: x.namespace, Name: "data"}, &claim); err != nil {
		t.Errorf("the claim did not outlive the job: %v", err)
	}
}

func TestApplyOnAnAPIServer(t *testing.T) {
	x := newTerminal(t)
	printed := x.must("PyTorchJob", "train", "tiny", "--image", "a", "--volume", "d:/d", "--volume-size", "1Gi", "--dry-run", "-o", "yaml")
	for _, want := range []string{"pytorchjob/tiny created", "pytorchjob/tiny unchanged"} {
		out, problems, code := x.run(printed, "train", "-F", "-")
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, want %q\n%s%s", code, want, out, problems)
		}
	}
	// The second object is refused, so the first is not made either.
	bad := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first}\n---\n" +
		"apiVersion: slipway.dev/v1alpha1\nkind: Model\nmetadata: {name: m}\nspec:\n  replicas: -3\n  engine: {container: {image: a}}\n"
	x.refuse(bad, "standard input: document 2, line 9: ", "deploy", "-F", "-")
	var first corev1.ConfigMap
	if err := x.client.Get(t.Context(), client.ObjectKey{Namespace: x.namespace, Name: "first"}, &first); err == nil {
		t.Error("half of the files was applied")
	}
	x.refuse("apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {}, what: ever}\n", "line 4: spec.what: Job has no such field", "train", "-F", "-")
}

func TestDeployOnAnAPIServer(t *testing.T) {
	x := newTerminal(t)
	x.must("model/tiny created", "deploy", "tiny", "--image", "a", "--claim", "data:/last", "--gpus", "1", "--", "serve")
	x.must("model/tiny unchanged", "deploy", "tiny", "--image", "a", "--claim", "data:/last", "--gpus", "1", "--", "serve")
	x.must("model/tiny configured", "deploy", "tiny", "--image", "b", "--replicas", "2")
	var model slipwayv1.Model
	if err := x.client.Get(t.Context(), client.ObjectKey{Namespace: x.namespace, Name: "tiny"}, &model); err != nil {
		t.Fatal(err)
	}
	if container := model.Spec.Engine.Container; container.Image != "b" || container.Command != nil || model.Spec.Source != nil {
		t.Errorf("what the second deploy left out is still there: %+v", model.Spec)
	}
	x.refuse("", "model/tiny has no endpoint yet", "chat", "tiny", "hello")
}

func TestKeyOnAnAPIServer(t *testing.T) {
	x := newTerminal(t)
	key := strings.TrimSpace(x.must(".", "key", "ci", "--duration", "1h"))
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: key, Audiences: []string{keys.Audience}}}
	if err := x.client.Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	if user := "system:serviceaccount:" + x.namespace + ":ci"; !review.Status.Authenticated || review.Status.User.Username != user {
		t.Errorf("the key is not known as %s: %+v", user, review.Status)
	}
	plain := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: key}}
	if err := x.client.Create(t.Context(), plain); err != nil || plain.Status.Authenticated {
		t.Errorf("the key is good for the API server itself: %+v, %v", plain.Status, err)
	}
	x.must("serviceaccount/ci deleted", "key", "revoke", "ci")
	var account corev1.ServiceAccount
	if err := x.client.Get(t.Context(), client.ObjectKey{Namespace: x.namespace, Name: "ci"}, &account); !apierrors.IsNotFound(err) {
		t.Errorf("the account of a revoked key: %v", err)
	}
}

// TestWatchOnAnAPIServer follows a job that another hand moves on.
func TestWatchOnAnAPIServer(t *testing.T) {
	x := newTerminal(t)
	x.must("created", "train", "tiny", "--image", "a")
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- Main(t.Context(), Program{
			Args:  []string{"slipway", "--kubeconfig", x.file, "logs", "-f", "tiny"},
			Stdin: os.Stdin, Stdout: io.Discard, Stderr: writer,
		})
		_ = writer.Close()
	}()
	said := make([]byte, len("tiny pending"))
	if _, err := io.ReadFull(reader, said); err != nil || string(said) != "tiny pending" {
		t.Fatalf("it says %q, %v", said, err)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	job := &kubeflowv1.PyTorchJob{ObjectMeta: metav1.ObjectMeta{Name: "tiny", Namespace: x.namespace}}
	patch := `{"status": {"conditions": [{"type": "Succeeded", "status": "True"}]}}`
	if err := x.client.Status().Patch(t.Context(), job, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

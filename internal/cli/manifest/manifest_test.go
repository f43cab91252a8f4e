// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func scheme(t testing.TB) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(s), slipwayv1.AddToScheme(s), kubeflowv1.AddToScheme(s)); err != nil {
		t.Fatal(err)
	}
	return s
}

const job = `apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata:
  name: tiny
spec:
  pytorchReplicaSpecs:
    Master:
      replicas: 1
      template:
        spec:
          containers:
            - name: pytorch
              image: a
`

const model = `# A model.
apiVersion: slipway.dev/v1alpha1
kind: Model
metadata: {name: tiny}
spec:
  engine: {container: {image: a}}
`

func TestParse(t *testing.T) {
	list := "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n- " + strings.ReplaceAll(strings.TrimPrefix(model, "# A model.\n"), "\n", "\n  ")
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"one", job, []string{"PyTorchJob/tiny"}},
		{"two", job + "---\n" + model, []string{"PyTorchJob/tiny", "Model/tiny"}},
		{"blank documents", "\n---\n# nothing\n--- # more\n" + job + "---\n---\n", []string{"PyTorchJob/tiny"}},
		{"a list", list, []string{"Secret/s", "Model/tiny"}},
		{"a kind nobody knows", "apiVersion: a.b/v1\nkind: C\nmetadata: {name: d}\nwhat: ever\n", []string{"C/d"}},
		{"JSON", "{\n\t\"apiVersion\": \"a.b/v1\",\n\t\"kind\": \"C\",\n\t\"metadata\": {\"name\": \"d\"}\n}\n", []string{"C/d"}},
		{"Windows line ends", strings.ReplaceAll(job+"---\n"+model, "\n", "\r\n"), []string{"PyTorchJob/tiny", "Model/tiny"}},
		{"nothing", "# nothing\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects, err := Parse("f.yaml", []byte(c.text), scheme(t))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range objects {
				got = append(got, o.GetKind()+"/"+o.GetName())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSaysWhereItIsWrong(t *testing.T) {
	replace := func(old, with string) string { return strings.Replace(job, old, with, 1) }
	for _, c := range []struct{ name, text, want string }{
		{"syntax", "a: [\n", "f.yaml: document 1, line 1: is not YAML: did not find expected node content; mind the indentation, colons and quotes there"},
		{"syntax in the second", job + "---\na: b\n c: d\n", "f.yaml: document 2, line 16: is not YAML: mapping values are not allowed in this context; mind the indentation, colons and quotes there"},
		{"a key twice", replace("  name: tiny", "  name: tiny\n  name: big"), `f.yaml: document 1, line 5: key "name" already set in map; keep one of them`},
		{"text", "just text\n", "f.yaml: document 1, line 1: is no object; a manifest begins with apiVersion, kind and metadata"},
		{"no kind", "apiVersion: v1\nmetadata: {name: a}\n", "f.yaml: document 1, line 1: kind: is missing; every object has apiVersion, kind and metadata.name"},
		{"no name", "apiVersion: v1\nkind: Secret\nmetadata:\n  labels: {}\n", "f.yaml: document 1, line 3: metadata.name: is missing; give the Secret a name"},
		{"an unknown field", model + "---\n" + replace("replicas: 1", "replica: 1"),
			"f.yaml: document 2, line 15: spec.pytorchReplicaSpecs.Master.replica: PyTorchJob has no such field; see: slipway kubectl explain pytorchjob.spec.pytorchReplicaSpecs.Master"},
		{"text for a number", replace("replicas: 1", "replicas: two"),
			`f.yaml: document 1, line 8: spec.pytorchReplicaSpecs.Master.replicas: is "two", not a whole number; see: slipway kubectl explain pytorchjob.spec.pytorchReplicaSpecs.Master.replicas`},
		{"a number for text", replace("image: a", "image: 1.2"),
			`f.yaml: document 1, line 13: spec.pytorchReplicaSpecs.Master.template.spec.containers[0].image: is 1.2, not text; put it in quotes; see: slipway kubectl explain pytorchjob.spec.pytorchReplicaSpecs.Master.template.spec.containers.image`},
		{"a mapping for a list", replace("            - name: pytorch\n              image: a", "            name: pytorch"),
			`f.yaml: document 1, line 11: spec.pytorchReplicaSpecs.Master.template.spec.containers: is {"name":"pytorch"}, not a list; see: slipway kubectl explain pytorchjob.spec.pytorchReplicaSpecs.Master.template.spec.containers`},
		{"a quantity", replace("image: a", "image: a\n              resources: {limits: {nvidia.com/gpu: one}}"),
			"f.yaml: document 1, line 14: spec.pytorchReplicaSpecs.Master.template.spec.containers[0].resources.limits[nvidia.com/gpu]: is \"one\": quantities must match the regular expression"},
		{"in a list", "kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: a}\n  typo: b\n",
			"f.yaml: document 1, line 7: typo: Secret has no such field; see: slipway kubectl explain secret"},
		{"text in a list", "kind: List\napiVersion: v1\nitems:\n- a\n", "f.yaml: document 1, line 4: items[0]: is no object; a manifest has apiVersion, kind and metadata"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(c.text), scheme(t))
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

func TestPlace(t *testing.T) {
	objects, err := Parse("f.yaml", []byte(job), scheme(t))
	if err != nil {
		t.Fatal(err)
	}
	invalid := func(field string) error {
		status := apierrors.NewInvalid(schema.GroupKind{Kind: "PyTorchJob"}, "tiny", nil)
		status.ErrStatus.Details.Causes = []metav1.StatusCause{{Field: field, Message: "is wrong"}}
		status.ErrStatus.Message = "wrong"
		return status
	}
	for _, c := range []struct {
		field string
		line  int
	}{
		{"spec.pytorchReplicaSpecs.Master.template.spec.containers[0].image", 13},
		{"spec.pytorchReplicaSpecs[Master].replicas", 8},
		{"spec.runPolicy.suspend", 5},
		{".metadata.name", 4},
		{"nothing", 1},
	} {
		want := fmt.Sprintf("f.yaml: document 1, line %d: wrong", c.line)
		if got := objects[0].Place(fmt.Errorf("applying: %w", invalid(c.field))); !strings.HasPrefix(got.Error(), want[:len(want)-5]) {
			t.Errorf("%s: got %v, want %s", c.field, got, want)
		}
	}
	if other := errors.New("other"); objects[0].Place(other) != other { //nolint:errorlint // the same error is meant
		t.Error("an error that is not the API server's is not left alone")
	}
}

func TestReadFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "job.yaml")
	if err := os.WriteFile(file, []byte(job), 0o600); err != nil {
		t.Fatal(err)
	}
	objects, err := Read([]string{file, "-"}, strings.NewReader(model), scheme(t))
	if err != nil || len(objects) != 2 {
		t.Errorf("got %d objects, %v", len(objects), err)
	}
	if _, err := Read([]string{file + "x"}, nil, scheme(t)); err == nil || !strings.Contains(err.Error(), "job.yamlx: no such file") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := Read([]string{"-"}, strings.NewReader("# nothing"), scheme(t)); err == nil || !strings.Contains(err.Error(), "standard input: holds no object") {
		t.Errorf("nothing to read: %v", err)
	}
}

func TestPaths(t *testing.T) {
	for _, field := range []string{"spec", "spec.a[0].b", "a.b[nvidia.com/gpu].c", "items[3]"} {
		if got := joinPath(splitPath(field)); got != field {
			t.Errorf("%s becomes %s", field, got)
		}
	}
}

// FuzzParse: whatever people write, there are objects with names or one line
// that says what is wrong.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{job, model, "a: [", "---\n---", "kind: List\nitems: [1]", "&a [*a]", "a: &x {b: *x}", "{", "- a", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: 3"} {
		f.Add([]byte(seed))
	}
	s := scheme(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		objects, err := Parse("f.yaml", content, s)
		if err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Fatal("an error without words")
		}
		for _, o := range objects {
			if err == nil && (o.GetName() == "" || o.GetKind() == "") {
				t.Fatalf("an object without name or kind: %v", o.Object)
			}
		}
	})
}

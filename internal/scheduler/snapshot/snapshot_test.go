// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// small is as people write it.
const small = `
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata: {name: n1, creationTimestamp: "2026-01-02T10:00:00Z"}
  status:
    allocatable: {cpu: 8, nvidia.com/gpu: "4"}
    conditions: [{type: Ready, status: "True", lastHeartbeatTime: "2026-01-02T12:00:00Z"}]
- {apiVersion: v1, kind: Secret, metadata: {name: other, namespace: a}}
- apiVersion: v1
  kind: Pod
  metadata: {name: ended}
  status: {phase: Succeeded}
- apiVersion: slipway.dev/v1alpha1
  kind: Gang
  metadata: {name: g}
  spec: {podSets: [{name: worker, count: 2}]}
`

// names of the objects, with their kinds as letters.
func names(s *Snapshot) string {
	var all []string
	for o := range s.Objects() {
		all = append(all, strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/"))
	}
	return strings.Join(all, " ")
}

func TestRead(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a List":                {small, "n1 default/g"},
		"a list of one kind":    {`{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"n2"}},{"metadata":{"name":"n1"}}]}`, "n2 n1"},
		"single objects":        {"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n", "n1 a"},
		"JSON after JSON":       {`{"apiVersion":"v1","kind":"Node","metadata":{"name":"a"}}{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Node","metadata":{"name":"b"}}]}`, "a b"},
		"one name in two kinds": {`{"kind":"List","apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Node","metadata":{"name":"a"}},{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}]}`, "a a"},
	} {
		s, err := Read(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := names(s); got != c.want {
			t.Errorf("%s: read %q, want %q", name, got, c.want)
		}
	}
}

func TestReadCompletes(t *testing.T) {
	s, err := Read(strings.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC); !s.Taken.Equal(want) {
		t.Errorf("taken at %v; the last word is of %v", s.Taken, want)
	}
	if g := s.Gangs[0]; g.Generation != 1 || g.UID != "default/g" {
		t.Errorf("gang is of generation %d, with UID %q", g.Generation, g.UID)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "holds no nodes, pods, projects or gangs; make the file with: kubectl get"},
		{"null", "holds no nodes"},
		{"hello", "document 0 is no Kubernetes object; make the file with: kubectl get"},
		{"{", "document 0 is neither JSON nor YAML"},
		{"a: [", "document 0 is neither JSON nor YAML"},
		{"kind: List\nitems: 7", "document 0 is no Kubernetes object"},
		{"kind: List\nitems: [7]", "items[0] is no Kubernetes object; take it out, or make the file with: kubectl get"},
		{"kind: List\nitems: [{apiVersion: v1}]", "items[0] has no kind; give each object its apiVersion and kind"},
		{"kind: List\nitems: [{apiVersion: v1, kind: Node}]", "items[0] (Node): metadata.name is missing; name it"},
		{"kind: List\ntaken: noon\nitems: []", `taken is "noon"; write a time such as`},
		{"kind: List\nitems: [{apiVersion: slipway.dev/v2, kind: Gang, metadata: {name: g}}]", "items[0] is of version slipway.dev/v2, which this program does not know; use slipway.dev/v1alpha1"},
		{"kind: List\nitems: [{apiVersion: v1, kind: Node, metadata: {name: a}}, {apiVersion: v1, kind: Node, metadata: {name: a}}]", "items[1] is Node a, which items[0] is, too; leave one of them out"},
		{"kind: List\nitems: [{apiVersion: v1, kind: Node, metadata: {name: a}, status: {allocatable: {cpu: 1, memory: lots}}}]",
			"items[0] (Node): status.allocatable.memory: quantities must match"},
		{"kind: List\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x}, {name: b, resources: {requests: {cpu: [1]}}}]}}]",
			"items[0] (Pod): spec.containers[1].resources.requests.cpu"},
	} {
		_, err := Read(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

// TestWritesNothingSecret: of a pod only its size and where it may go is written.
func TestWritesNothingSecret(t *testing.T) {
	const secret = "hunter2"
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "a", UID: "1", Annotations: map[string]string{"note": secret}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "main", Image: secret, Command: []string{secret}, Args: []string{secret},
				Env: []corev1.EnvVar{{Name: "PASSWORD", Value: secret}}}},
			Volumes: []corev1.Volume{{Name: secret, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret}}},
				{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "mine"}}}},
		},
		Status: corev1.PodStatus{Message: secret, Conditions: []corev1.PodCondition{{Message: secret}}},
	}
	named := metav1.ObjectMeta{Name: "x", UID: "2", Annotations: map[string]string{"note": secret, "volume.kubernetes.io/selected-node": "n1"}}
	s := &Snapshot{
		Pods:    []*corev1.Pod{pod},
		Classes: []*storagev1.StorageClass{{ObjectMeta: named, Parameters: map[string]string{"key": secret}}},
		Volumes: []*corev1.PersistentVolume{{ObjectMeta: named, Spec: corev1.PersistentVolumeSpec{PersistentVolumeSource: corev1.PersistentVolumeSource{
			NFS: &corev1.NFSVolumeSource{Server: secret}}}}},
		Claims: []*corev1.PersistentVolumeClaim{{ObjectMeta: named}},
	}
	var out bytes.Buffer
	if err := s.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"main"`, `"mine"`, `"StorageClass"`, `"PersistentVolume"`, `"volume.kubernetes.io/selected-node":"n1"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("wrote no %s: %s", want, &out)
		}
	}
	if strings.Contains(out.String(), secret) {
		t.Errorf("wrote %s", &out)
	}
	if pod.Spec.Containers[0].Image != secret {
		t.Error("the pod itself was trimmed")
	}
}

// TestWritesWhatDecides: what the scheduler looks at of a node and of a pod is read again
// as it was.
func TestWritesWhatDecides(t *testing.T) {
	since := metav1.NewTime(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "1"}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: since},
		{Type: slipwayv1.NodeUnhealthy, Status: corev1.ConditionTrue, Reason: "XidError", LastTransitionTime: since},
	}}}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "a", UID: "2"},
		Spec:   corev1.PodSpec{NodeName: "n", ResourceClaims: []corev1.PodResourceClaim{{Name: "gpu"}}},
		Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: since}}}}
	s := &Snapshot{Nodes: []*corev1.Node{node}, Pods: []*corev1.Pod{pod}}
	read, err := Read(bytes.NewReader(written(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(node.Status, read.Nodes[0].Status); diff != "" {
		t.Errorf("the node (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(pod.Spec.ResourceClaims, read.Pods[0].Spec.ResourceClaims); diff != "" {
		t.Errorf("claims of the pod (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(pod.Status, read.Pods[0].Status); diff != "" {
		t.Errorf("the pod (-want +got):\n%s", diff)
	}
}

// FuzzRead: whatever is read is written and read again as the same.
func FuzzRead(f *testing.F) {
	f.Add(small)
	f.Add("kind: List\ntaken: 2026-01-02T12:00:00Z\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {nodeName: n, containers: [{name: x, ports: [{hostPort: 1}]}]}}]")
	f.Add(`{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"p"},"status":{"startTime":"2026-01-02T12:00:00Z"}}]}`)
	f.Add("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {volumeName: v}}\n---\n{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a}}")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Read(strings.NewReader(text))
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a reason")
			}
			return
		}
		first := written(t, s)
		again, err := Read(bytes.NewReader(first))
		if len(s.Nodes)+len(s.Namespaces)+len(s.Projects)+len(s.Gangs)+len(s.Pods)+len(s.Classes)+len(s.Volumes)+len(s.Claims)+len(s.PodGroups) == 0 {
			return // pods that have ended
		}
		if err != nil {
			t.Fatalf("reading %s: %v", first, err)
		}
		if diff := cmp.Diff(string(first), string(written(t, again))); diff != "" {
			t.Errorf("written, read and written again (-first +second):\n%s", diff)
		}
	})
}

func written(t *testing.T, s *Snapshot) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := s.Write(&out); err != nil {
		t.Skip(err) // a moment beyond the year 9999, which JSON cannot hold
	}
	return out.Bytes()
}

func TestForbiddenNamesTheRight(t *testing.T) {
	cause := errors.New("no")
	err := error(&ForbiddenError{"nodes", cause})
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "may not list nodes of the whole cluster") {
		t.Errorf("says %v", err)
	}
}

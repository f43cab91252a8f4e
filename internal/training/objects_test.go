// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

func TestGangSpec(t *testing.T) {
	w := newWorld(t, newJob(1, 3, func(job *kubeflowv1.PyTorchJob) {
		job.Labels = map[string]string{slipwayv1.LabelProject: "vision"}
		job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](60)
		job.Spec.RunPolicy.SchedulingPolicy = &kubeflowv1.SchedulingPolicy{MinAvailable: ptr.To[int32](3)}
		template := &job.Spec.PyTorchReplicaSpecs[worker].Template
		template.Annotations = map[string]string{podset.AnnotationRequiredTopology: "rack"}
		template.Spec.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}
		template.Spec.InitContainers = []corev1.Container{{Name: "fetch", Image: "i", Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("3Gi")}}}}
		template.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: 8080, ContainerPort: 80}}
		template.Spec.Containers[0].Resources = corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
			Limits:   corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("2Gi")},
		}
		template.Spec.Containers = append(template.Spec.Containers, corev1.Container{Name: "side", Image: "i",
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m")}}})
	}))
	w.priority = ptr.To[int32](7)
	w.settle()
	labels := func(set string) map[string]string {
		return map[string]string{
			kubeflowv1.JobNameLabel: "j", kubeflowv1.OperatorNameLabel: "pytorchjob-controller", kubeflowv1.ReplicaTypeLabel: set,
			slipwayv1.LabelGang: "pytorchjob-j", slipwayv1.LabelPodSet: set,
		}
	}
	want := slipwayv1.GangSpec{
		Project: "vision", Priority: 7, MaxRunTime: &metav1.Duration{Duration: time.Minute},
		PodSets: []slipwayv1.PodSet{
			{Name: "master", Count: 1, Requests: corev1.ResourceList{}, Labels: labels("master")},
			{Name: "worker", Count: 3, Labels: labels("worker"),
				Requests: corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("2"),
					corev1.ResourceMemory: resource.MustParse("3Gi"), corev1.ResourceCPU: resource.MustParse("500m")},
				Tolerations: []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}},
				HostPorts:   []slipwayv1.HostPort{{Port: 8080, Protocol: corev1.ProtocolTCP}},
				Topology:    &slipwayv1.Topology{Required: "rack"}},
		},
	}
	if diff := cmp.Diff(want, w.gang.Spec); diff != "" {
		t.Error(diff)
	}
	owner := metav1.GetControllerOf(w.gang)
	if w.gang.Name != "pytorchjob-j" || owner == nil || owner.Kind != "PyTorchJob" || owner.UID != w.job.UID {
		t.Errorf("gang %s owned by %+v", w.gang.Name, owner)
	}
}

func TestCheckpointIsTold(t *testing.T) {
	w := started(t, newJob(1, 0), "n1")
	at := metav1.NewTime(w.now.Add(-time.Minute).Truncate(time.Second))
	for value, want := range map[string]*metav1.Time{at.Format(time.RFC3339): &at, "yesterday": nil} {
		w.job.Annotations = map[string]string{slipwayv1.AnnotationCheckpoint: value}
		w.settle()
		if got := w.gang.Spec.LastCheckpoint; !got.Equal(want) {
			t.Errorf("checkpointed at %q: the gang says %v, want %v", value, got, want)
		}
	}
}

func TestMaxRunTimeOfTheAnnotationComesFirst(t *testing.T) {
	w := newWorld(t, newJob(1, 0, func(job *kubeflowv1.PyTorchJob) {
		job.Annotations = map[string]string{slipwayv1.AnnotationMaxRunTime: "36h"}
		job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](60)
	}))
	w.settle()
	if got := w.gang.Spec.MaxRunTime; got == nil || got.Duration != 36*time.Hour {
		t.Errorf("maxRunTime %v", got)
	}
}

func TestPodAndService(t *testing.T) {
	w := newWorld(t, newJob(1, 1, policy(kubeflowv1.RestartPolicyExitCode), func(job *kubeflowv1.PyTorchJob) {
		template := &job.Spec.PyTorchReplicaSpecs[worker].Template
		template.Labels = map[string]string{"team": "vision"}
		template.Spec.RestartPolicy = corev1.RestartPolicyAlways
		template.Spec.SchedulerName = "volcano"
		template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "MINE", Value: "1"}}
		template.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "metrics", ContainerPort: 9000, Protocol: corev1.ProtocolTCP}}
	}))
	w.settle()
	w.place("n1")
	w.settle()
	labels := map[string]string{
		"training.kubeflow.org/job-name": "j", "training.kubeflow.org/operator-name": "pytorchjob-controller",
		"training.kubeflow.org/replica-type": "worker", "training.kubeflow.org/replica-index": "0",
	}
	service := w.services["j-worker-0"]
	wantService := corev1.ServiceSpec{
		ClusterIP: "None", Selector: labels, PublishNotReadyAddresses: true,
		Ports: []corev1.ServicePort{{Name: "metrics", Port: 9000, Protocol: corev1.ProtocolTCP}, {Name: "pytorchjob-port", Port: 23456}},
	}
	if diff := cmp.Diff(wantService, service.Spec); diff != "" {
		t.Errorf("service: %s", diff)
	}
	if diff := cmp.Diff(labels, service.Labels); diff != "" {
		t.Errorf("labels of the service: %s", diff)
	}
	pod := w.pods["j-worker-0"]
	labels["team"], labels[slipwayv1.LabelGang] = "vision", "pytorchjob-j"
	labels[slipwayv1.LabelPodSet], labels[slipwayv1.LabelRank] = "worker", "0"
	if diff := cmp.Diff(labels, pod.Labels); diff != "" {
		t.Errorf("labels of the pod: %s", diff)
	}
	if pod.Spec.RestartPolicy != corev1.RestartPolicyNever || len(pod.Spec.InitContainers) != 0 || pod.Spec.Containers[0].Env[0].Name != "MINE" {
		t.Errorf("pod spec %+v", pod.Spec)
	}
	if got := w.pods["j-master-0"].Labels["training.kubeflow.org/job-role"]; got != "master" {
		t.Errorf("role of the master %q", got)
	}
	if w.sent("SetPodTemplateRestartPolicy") != 1 || w.sent("SetPodTemplateSchedulerName") != 1 {
		t.Errorf("events %v", w.events)
	}
}

// A pod that must be bound by the default scheduler is held to its node, in
// every alternative that the user gave.
func TestPodThatNeedsBinding(t *testing.T) {
	field := corev1.NodeSelectorRequirement{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{"n1"}}
	zone := corev1.NodeSelectorRequirement{Key: "zone", Operator: corev1.NodeSelectorOpExists}
	claim := corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}
	terms := func(a *corev1.Affinity) []corev1.NodeSelectorTerm {
		return a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	}
	tests := map[string]struct {
		spec corev1.PodSpec
		want []corev1.NodeSelectorTerm // nil when the node is assigned
	}{
		"no volume":    {corev1.PodSpec{}, nil},
		"an empty one": {corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}}, nil},
		"a claim":      {corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: claim}}}, []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{field}}}},
		"a device":     {corev1.PodSpec{ResourceClaims: []corev1.PodResourceClaim{{Name: "gpu"}}}, []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{field}}}},
		"a gate":       {corev1.PodSpec{SchedulingGates: []corev1.PodSchedulingGate{{Name: "g"}}}, []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{field}}}},
		"with affinity": {corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: claim}}, Affinity: nodeTerms(zone, zone)},
			[]corev1.NodeSelectorTerm{
				{MatchExpressions: []corev1.NodeSelectorRequirement{zone}, MatchFields: []corev1.NodeSelectorRequirement{field}},
				{MatchExpressions: []corev1.NodeSelectorRequirement{zone}, MatchFields: []corev1.NodeSelectorRequirement{field}}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			assign(&tt.spec, "n1")
			if got := nodeOf(&corev1.Pod{Spec: tt.spec}); got != "n1" {
				t.Errorf("read back as %q", got)
			}
			if tt.want == nil {
				if tt.spec.NodeName != "n1" {
					t.Errorf("node %q", tt.spec.NodeName)
				}
				return
			}
			if diff := cmp.Diff(tt.want, terms(tt.spec.Affinity)); diff != "" || tt.spec.NodeName != "" {
				t.Errorf("node %q, terms: %s", tt.spec.NodeName, diff)
			}
		})
	}
}

// nodeTerms is an affinity with one term for each requirement.
func nodeTerms(requirements ...corev1.NodeSelectorRequirement) *corev1.Affinity {
	selector := &corev1.NodeSelector{}
	for _, r := range requirements {
		selector.NodeSelectorTerms = append(selector.NodeSelectorTerms,
			corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{r}})
	}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: selector}}
}

// TestServiceOfALonePod: nobody but peers looks for a pod, unless it is said where.
func TestServiceOfALonePod(t *testing.T) {
	named := func(name string) func(*kubeflowv1.PyTorchJob) {
		return func(job *kubeflowv1.PyTorchJob) {
			job.Spec.PyTorchReplicaSpecs[master].Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: name, ContainerPort: 6006}}
		}
	}
	for name, tt := range map[string]struct {
		workers int32
		change  func(*kubeflowv1.PyTorchJob)
		want    int
	}{
		"alone":                       {0, func(*kubeflowv1.PyTorchJob) {}, 0},
		"alone, rendezvous elsewhere": {0, named("pytorchjob-port"), 0},
		"alone, with a port":          {0, named("tensorboard"), 1},
		"alone, on the host's network": {0, func(job *kubeflowv1.PyTorchJob) {
			job.Spec.PyTorchReplicaSpecs[master].Template.Spec.HostNetwork = true
		}, 1},
		"alone, under another name": {0, func(job *kubeflowv1.PyTorchJob) {
			job.Spec.PyTorchReplicaSpecs[master].Template.Spec.Hostname = "trainer"
		}, 1},
		"with a peer": {1, func(*kubeflowv1.PyTorchJob) {}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if w := started(t, newJob(1, tt.workers, tt.change), "n1"); len(w.services) != tt.want {
				t.Errorf("%d services, want %d", len(w.services), tt.want)
			}
		})
	}
	t.Run("grows", func(t *testing.T) {
		w := started(t, newJob(0, 1), "n1")
		w.job.Spec.PyTorchReplicaSpecs[worker].Replicas = ptr.To[int32](2)
		w.settle()
		w.place("n1")
		w.settle()
		if len(w.services) != 2 {
			t.Errorf("%d services of two pods", len(w.services))
		}
	})
}

// TestOrderOfCreation: the name that all look for, the pods, the other names.
func TestOrderOfCreation(t *testing.T) {
	w := newWorld(t, newJob(1, 2))
	w.settle()
	w.place("n1")
	var got []string
	for _, o := range decide(w.observe()).Create {
		got = append(got, kindOf(o)+" "+o.GetName())
	}
	want := []string{"Service j-master-0", "Pod j-master-0", "Pod j-worker-0", "Pod j-worker-1", "Service j-worker-0", "Service j-worker-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

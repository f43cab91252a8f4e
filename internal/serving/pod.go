// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

const (
	containerName = "engine"
	modelsPath    = "/models"
	weightsVolume = "weights"
	sharedVolume  = "shm"

	// leaveTime is how long a replica that goes still takes requests, until the
	// front door has seen it leave the EndpointSlice. An engine that is told to
	// stop closes its port at once, and what is on its way then is lost.
	leaveTime = 3 * time.Second
	// GracePeriod is how long a replica may take after that to finish the answers
	// it has begun.
	GracePeriod = 60 * time.Second
	// startupBudget is how long an engine may take to load its weights.
	startupBudget = 2 * time.Hour
	// probeTimeout is long, because an engine that is busy is slow to answer
	// and yet well.
	probeTimeout = 5 * time.Second
	// probeFailures in a row take a replica out of the endpoint.
	probeFailures = 3
	// patience with a node that does not answer, after which a replica there is
	// replaced: less than Kubernetes' five minutes, because an endpoint waits, and
	// enough for a kubelet to be restarted.
	patience = 30 * time.Second
)

func podTemplate(model *slipwayv1.Model, restricted bool) corev1.PodTemplateSpec {
	spec := corev1.PodSpec{
		Containers:                    []corev1.Container{container(model)},
		Volumes:                       volumes(model),
		TerminationGracePeriodSeconds: ptr.To(int64((leaveTime + GracePeriod) / time.Second)),
		// An engine runs other people's weights and code: it gets no token.
		AutomountServiceAccountToken: ptr.To(false),
		// Services of the namespace must not change what an engine reads from
		// its environment.
		EnableServiceLinks: ptr.To(false),
		SecurityContext: &corev1.PodSecurityContext{
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Tolerations: []corev1.Toleration{tolerate(corev1.TaintNodeNotReady), tolerate(corev1.TaintNodeUnreachable)},
	}
	if restricted {
		spec.SecurityContext.RunAsNonRoot = ptr.To(true)
	}
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labelsOf(model)}, Spec: spec}
}

func tolerate(taint string) corev1.Toleration {
	return corev1.Toleration{
		Key: taint, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute,
		TolerationSeconds: ptr.To(int64(patience / time.Second)),
	}
}

// container is the engine. It may run as root, as the images of most engines
// do, but with none of root's capabilities.
func container(model *slipwayv1.Model) corev1.Container {
	engine := model.Spec.Engine.Container
	return corev1.Container{
		Name:            containerName,
		Image:           engine.Image,
		ImagePullPolicy: engine.ImagePullPolicy,
		Command:         engine.Command,
		Args:            engine.Args,
		Env:             environment(model),
		Ports:           []corev1.ContainerPort{{Name: slipwayv1.ModelPortName, ContainerPort: engine.Port, Protocol: corev1.ProtocolTCP}},
		Resources:       engine.Resources,
		VolumeMounts:    mounts(model),
		StartupProbe:    probe(engine, int32(startupBudget/time.Second)),
		ReadinessProbe:  probe(engine, probeFailures),
		// The kubelet sleeps, not the container: an image needs no shell.
		Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{
			Sleep: &corev1.SleepAction{Seconds: int64(leaveTime / time.Second)},
		}},
		// What an engine last said is what a person needs to read.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: ptr.To(false),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
}

// environment puts our variables first, so that the user's may refer to them,
// and lets the user's win.
func environment(model *slipwayv1.Model) []corev1.EnvVar {
	path := ""
	if claimOf(model) != nil {
		path = modelsPath
	}
	theirs := model.Spec.Engine.Container.Env
	ours := slices.DeleteFunc([]corev1.EnvVar{
		{Name: "SLIPWAY_MODEL_NAME", Value: model.Name},
		{Name: "SLIPWAY_MODEL_PATH", Value: path},
	}, func(our corev1.EnvVar) bool {
		return slices.ContainsFunc(theirs, func(their corev1.EnvVar) bool { return their.Name == our.Name })
	})
	return append(ours, theirs...)
}

// probe asks every second, so that a replica takes part within a second of
// having loaded its weights.
func probe(engine *slipwayv1.ContainerEngine, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: engine.ReadyPath, Port: intstr.FromString(slipwayv1.ModelPortName), Scheme: corev1.URISchemeHTTP,
		}},
		PeriodSeconds:    1,
		TimeoutSeconds:   int32(probeTimeout / time.Second),
		SuccessThreshold: 1,
		FailureThreshold: failures,
	}
}

// volumes are the weights, and shared memory of the node's own size: processes
// of one engine hand tensors to one another there, and the runtime's default
// of 64 MiB breaks them.
func volumes(model *slipwayv1.Model) []corev1.Volume {
	shared := []corev1.Volume{{Name: sharedVolume, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
	}}}
	claim := claimOf(model)
	if claim == nil {
		return shared
	}
	return append(shared, corev1.Volume{Name: weightsVolume, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name},
	}})
}

func mounts(model *slipwayv1.Model) []corev1.VolumeMount {
	shared := []corev1.VolumeMount{{Name: sharedVolume, MountPath: "/dev/shm"}}
	claim := claimOf(model)
	if claim == nil {
		return shared
	}
	return append(shared, corev1.VolumeMount{
		Name: weightsVolume, MountPath: modelsPath, SubPath: claim.Path, ReadOnly: true,
	})
}

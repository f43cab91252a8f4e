// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Condition types of every kind, after kstatus
// (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus).
const (
	// ConditionReady is True when the object does what its spec asks.
	ConditionReady = "Ready"
	// ConditionReconciling is True, and present at all, only while work is under way.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True, and present at all, only when a person must act.
	ConditionStalled = "Stalled"
	// ConditionPlaced is True on a Gang whose every pod has a node.
	ConditionPlaced = "Placed"
)

// Labels and annotations. Options that other people's kinds lack are
// annotations under slipway.dev/ on the job.
const (
	// LabelGang on a pod names the Gang, in the pod's namespace, that it belongs to.
	LabelGang = "slipway.dev/gang"
	// LabelPodSet on a pod names its pod set within the gang.
	LabelPodSet = "slipway.dev/pod-set"
	// LabelRank on a pod is its rank within the pod set, from zero: which of the
	// set's places it takes.
	LabelRank = "slipway.dev/rank"
	// LabelModel on a pod, Service or Deployment names the Model that it serves.
	LabelModel = "slipway.dev/model"
	// LabelProject on a namespace names the Project that it belongs to; on a
	// job it names the Project to charge when that is another.
	LabelProject = "slipway.dev/project"
	// LabelQueueName is Kueue's. Where LabelProject is not, it names the Project.
	LabelQueueName = "kueue.x-k8s.io/queue-name"
	// AnnotationUser on a job, or on a pod without one that Slipway places, is who made it; the API server writes it, see api/admission.
	AnnotationUser = "slipway.dev/user"
	// AnnotationQueued on a suspended batch Job says that it waits for its turn: no
	// person suspended it.
	AnnotationQueued = "slipway.dev/queued"
	// AnnotationBlocked on such a Job says what keeps it from being queued at all; the batch
	// controller writes it, for a Job has no condition of ours.
	AnnotationBlocked = "slipway.dev/blocked"
	// AnnotationDeleteInUse on a Project is "true" where it may be deleted though gangs run in
	// it, see api/admission.
	AnnotationDeleteInUse = "slipway.dev/delete-in-use"
	// AnnotationMaxRunTime on a job is its run-time limit, a Go duration ("36h").
	AnnotationMaxRunTime = "slipway.dev/max-run-time"
	// AnnotationCheckpoint on a job is when it last saved what it had done, a moment in the
	// form of RFC 3339. Of gangs that may give way those go first that lose least.
	AnnotationCheckpoint = "slipway.dev/checkpointed-at"
	// AnnotationSpread on a pod template is "true" where each pod is to go to the emptiest
	// node, instead of keeping nodes free for large gangs.
	AnnotationSpread = "slipway.dev/spread"
	// AnnotationMinRunTime on a job is for how long after its start it gives way to
	// no other, a Go duration ("30m").
	AnnotationMinRunTime = "slipway.dev/min-run-time"

	// AnnotationGaveWayTo of a pod without a Gang that the scheduler deletes is the gang that
	// gets its place, as NAMESPACE/NAME.
	AnnotationGaveWayTo = "slipway.dev/gave-way-to"
	// AnnotationStartedWith of a pod without a Gang is how many pods its group took to start when
	// the pod got its place.
	AnnotationStartedWith = "slipway.dev/started-with"
)

// NodeUnhealthy is the condition by which whoever watches a node's hardware, such as its
// GPUs, says that nothing should run there: True does what a NoExecute taint of that name
// would to gangs. They get another node, in the same domain of their topology if they can.
const NodeUnhealthy = "slipway.dev/unhealthy"

// LabelHeld is "true" on a pod that claims devices, which Kubernetes' scheduler allocates when
// Slipway's has said on which node; until then GateHeld, a scheduling gate, holds it back. See
// api/admission/pods.yaml.
const (
	LabelHeld = "slipway.dev/held"
	GateHeld  = LabelHeld
)

// SchedulerName of pods that the scheduler binds, be it by a Gang or alone.
const SchedulerName = "slipway"

// CheckpointOf a job with annotations; nil where none tells a moment.
func CheckpointOf(annotations map[string]string) *metav1.Time {
	at, err := time.Parse(time.RFC3339, annotations[AnnotationCheckpoint])
	if err != nil {
		return nil
	}
	return &metav1.Time{Time: at.Truncate(time.Second)} // as it is stored
}

// ProjectOf an object with labels; empty for its namespace's.
func ProjectOf(labels map[string]string) string {
	if project := labels[LabelProject]; project != "" {
		return project
	}
	return labels[LabelQueueName]
}

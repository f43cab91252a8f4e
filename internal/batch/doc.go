// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package batch queues batch/v1 Jobs. Kubernetes' own controller runs them: it makes
// the pods, counts what succeeded, and starts again what failed. This one holds a Job
// back until the scheduler has placed its Gang whole, and again when the Gang loses
// its places.
//
//	observe.go  fetches: the Gang, the priority, the volumes
//	job.go      what a Job says of itself
//	decide.go   decides, without I/O: observed -> plan
//	apply.go    carries the plan out, in the order of its fields
//
// A Job is held by spec.suspend. Its annotation slipway.dev/queued says that it waits
// for its turn; a suspended Job without it was suspended by a person, and asks for
// nothing. Both are set when a Job is made, and kept when a person resumes it, by
// the admission policies in api/admission, so that no pod exists before its turn. A
// Job is queued when its pods name the scheduler slipway, which the policies see to.
//
// Pods get the labels of their Gang through the Job's template, in the same write that
// starts the Job, and are bound by package scheduler, one to a place. What starts a
// Job by other means gains nothing by it: pods without a place are bound to no node,
// and the Job is held back again.
//
// While a Job runs its Gang is as large as the Job will still be: it follows the Job's
// parallelism, and gives back what has succeeded and is followed by nothing.
package batch

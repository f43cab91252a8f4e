// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"encoding/json"
	"maps"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// annotationRestarts on a Gang is the ledger: what became of the pods that
	// were replaced. It lives as long as the gang, which is as long as the count
	// matters: suspending or finishing the job ends it.
	annotationRestarts = "slipway.dev/restarts"
	// annotationAttempt on a pod says how many came before it at its rank.
	annotationAttempt = "slipway.dev/attempt"
)

const (
	firstDelay = time.Second
	maxDelay   = time.Minute
	// A pod that ran this long before it failed is replaced at once.
	settledAfter = 10 * time.Minute
)

// ledger counts, for each rank that ever lost a pod. Upstream does not count the
// pods that it makes again, so that a crashing job restarts for ever.
type ledger map[string]account

// account of one rank, written as [attempts, failures].
type account [2]int32

// attempts made before the present one.
func (a account) attempts() int32 { return a[0] }

// failures that count against backoffLimit.
func (a account) failures() int32 { return a[1] }

// parseLedger reads the annotation. One that somebody garbled counts as empty:
// a job must not die of it.
func parseLedger(s string) ledger {
	l := ledger{}
	if json.Unmarshal([]byte(s), &l) != nil {
		return ledger{}
	}
	maps.DeleteFunc(l, func(_ string, a account) bool { return a.attempts() < 1 || a.failures() < 0 })
	return l
}

func (l ledger) String() string {
	if len(l) == 0 {
		return ""
	}
	b, err := json.Marshal(l)
	if err != nil {
		panic(err) // cannot happen: strings and numbers only
	}
	return string(b)
}

// note enters the end of the pod that was the given attempt at a rank, and says
// whether that was news. The attempt makes entering it twice harmless, so that
// the ledger can be written before the pod is deleted.
func (l ledger) note(key string, attempt, failures int32) bool {
	a := l[key]
	if a.attempts() > attempt {
		return false
	}
	l[key] = account{attempt + 1, a.failures() + failures}
	return true
}

func (l ledger) failures() int32 {
	var n int32
	for _, a := range l {
		n += a.failures()
	}
	return n
}

// attemptOf reads what newPod wrote; zero for the first pod of a rank.
func attemptOf(pod *corev1.Pod) int32 {
	n, err := strconv.ParseInt(pod.Annotations[annotationAttempt], 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int32(n)
}

// delay before a failed pod is replaced: none the first time, then twice as
// long each time, up to a minute. A kubelet that refuses for good, or a program
// that crashes at once, must not be hammered.
func delay(pod *corev1.Pod) time.Duration {
	n := attemptOf(pod)
	if n == 0 {
		return 0
	}
	if start := pod.Status.StartTime; start != nil && endedAt(pod).Sub(start.Time) >= settledAfter {
		return 0
	}
	return min(firstDelay<<min(n-1, 16), maxDelay)
}

func (p *pass) readLedger() {
	p.ledger = ledger{}
	if p.in.Gang != nil {
		p.ledger = parseLedger(p.in.Gang.Annotations[annotationRestarts])
	}
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/internal/placement"
)

// BenchmarkGroupLeaves: what each pod of a group costs that goes, however many the group has.
func BenchmarkGroupLeaves(b *testing.B) {
	ways := map[string]func(l *ledger, pods []*corev1.Pod){
		"gives way": func(l *ledger, pods []*corev1.Pod) {
			key := l.crewOf[pods[0].UID]
			l.noteGroup(l.groups[key], placement.Verdict{Gang: key, State: placement.Waiting, Reason: &placement.Reason{Code: placement.Evicted}}, noon)
		},
		"is deleted": func(l *ledger, pods []*corev1.Pod) {
			for _, p := range pods {
				l.remove(p)
			}
		},
	}
	for name, leave := range ways {
		for _, n := range []int{100, 1000, 10000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					l, pods := groupOn(n)
					b.StartTimer()
					leave(l, pods)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/pod")
			})
		}
	}
}

// BenchmarkTurnout: how many pods of a group have ended well, a tenth of it.
func BenchmarkTurnout(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l, pods := groupOn(n)
			for _, p := range pods[:n/10] {
				p = p.DeepCopy()
				p.Status.Phase = corev1.PodSucceeded
				l.set(p)
			}
			g := l.groups[l.crewOf[pods[n-1].UID]]
			for b.Loop() {
				l.done(g)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/pod")
		})
	}
}

// groupOn nodes, all of whose pods are bound but one that came late.
func groupOn(n int) (*ledger, []*corev1.Pod) {
	l := newLedger()
	var pods []*corev1.Pod
	for i := range n {
		pods = append(pods, ourPod(fmt.Sprint("p-", i), ofGroup("g", n), boundTo(fmt.Sprint("n", i/8))))
		l.set(pods[i])
	}
	l.want()
	l.askGroups()
	l.set(ourPod("late", ofGroup("g", n)))
	l.takeRipe()
	return l, pods
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

func TestAStartIsToldAfterOthers(t *testing.T) {
	w := patient(t, newJob(1, 1))
	deferred := func(want bool, when string) {
		t.Helper()
		if got := decide(w.observe()); got.Deferred != want {
			t.Errorf("%s: deferred is %v, status %+v", when, got.Deferred, got.Status)
		}
	}
	w.now = w.now.Add(together)
	deferred(true, "when the scheduler has not answered for long")
	w.settle()
	deferred(false, "when that is written")
	w.place("n1", "n2")
	deferred(false, "while its pods are to be made")
	w.settle()
	w.phase("j-master-0", corev1.PodRunning)
	deferred(true, "once the master runs")
	w.settle()
	deferred(false, "when that is written, too")
	w.phase("j-worker-0", corev1.PodRunning)
	deferred(true, "when more of its pods run")
	w.exit("j-master-0", 0)
	deferred(false, "when it ends")
}

func TestWhatIsNotDeferred(t *testing.T) {
	t.Run("that it runs again", func(t *testing.T) {
		w := patient(t, newJob(1, 0))
		w.place("n1")
		w.settle()
		w.runAll()
		w.settle()
		w.unplace("Evicted", "gave way to ns/other")
		w.settle()
		w.bury()
		w.place("n1")
		w.settle()
		w.runAll()
		if got := decide(w.observe()); got.Deferred || !isTrue(&got.Status, "Running") {
			t.Errorf("deferred is %v, status %+v", got.Deferred, got.Status)
		}
	})
	t.Run("that it runs, and lacks a pod", func(t *testing.T) {
		w := patient(t, newJob(1, 1))
		w.place("n1", "n2")
		w.settle()
		delete(w.pods, "j-worker-0")
		w.phase("j-master-0", corev1.PodRunning)
		if got := decide(w.observe()); got.Deferred || len(got.Create) != 1 {
			t.Errorf("deferred is %v, makes %d", got.Deferred, len(got.Create))
		}
	})
}

func TestPutOffOnce(t *testing.T) {
	var l deferrals
	job := types.NamespacedName{Namespace: "ns", Name: "j"}
	result, is := l.putOff(job)
	if !is || result.RequeueAfter <= 0 || result.Priority == nil || *result.Priority >= handler.LowPriority {
		t.Fatalf("the first time: %v, %+v", is, result)
	}
	if _, is := l.putOff(job); is {
		t.Error("was put off twice")
	}
	l.came(job)
	if _, is := l.putOff(job); !is {
		t.Error("another job of this name is not put off")
	}
}

func TestWhatIsDueIsAsUrgentAsNews(t *testing.T) {
	result, err := settle(time.Minute, nil)
	if err != nil || result.RequeueAfter != time.Minute || result.Priority == nil || *result.Priority != 0 {
		t.Errorf("%+v, %v", result, err)
	}
}

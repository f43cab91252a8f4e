// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

// TestIdealTime: the work of a queue of Kueue's test is known.
func TestIdealTime(t *testing.T) {
	if got, want := idealTime(500), 66*time.Second; got != want {
		t.Errorf("500 workloads are %s of work, want %s", got, want)
	}
}

func TestWorkloadClasses(t *testing.T) {
	all := 0
	for _, class := range workloadClasses {
		all += class.of(500)
		if class.cores > queueNominal+queueBorrows {
			t.Errorf("%s workloads never fit their queue", class.name)
		}
	}
	if all != 500 {
		t.Errorf("the classes are %d of 500 workloads", all)
	}
}

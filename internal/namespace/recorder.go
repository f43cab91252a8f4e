// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Recorder of a controller that sends no event about what is in a namespace that is being
// deleted: the API server would refuse it, and the log would fill with that. The reader is
// a cache, which is asked for each event.
func Recorder(to events.EventRecorder, r client.Reader) events.EventRecorder {
	return recorder{to, r}
}

type recorder struct {
	events.EventRecorder
	reader client.Reader
}

// Eventf has no context and no error: what cannot be found out is sent.
func (r recorder) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	if o, err := meta.Accessor(regarding); err == nil && o.GetNamespace() != "" {
		if ends, _ := Ends(context.Background(), r.reader, o.GetNamespace()); ends {
			return
		}
	}
	r.EventRecorder.Eventf(regarding, related, kind, reason, action, note, args...)
}

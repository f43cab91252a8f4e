// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// inferencePath is of plain segments only, so that no engine reads another path
// out of it than we do.
var inferencePath = regexp.MustCompile(`^/v1(/[A-Za-z0-9_-]+)+$`)

// administrative segments of paths change a replica, which takes more than the
// right to use a model.
func administrative() []string { return []string{"load_lora_adapter", "unload_lora_adapter"} }

func isInference(path string) bool {
	return inferencePath.MatchString(path) && !slices.ContainsFunc(administrative(), func(segment string) bool {
		return strings.HasSuffix(path, "/"+segment)
	})
}

// infer passes a request on to a replica of the model that its body names. Who
// asks is found out before the body is read.
func (v *visit) infer() error {
	if err := v.method(http.MethodPost); err != nil {
		return err
	}
	who, err := v.door.keys.identify(v.request)
	if err != nil {
		return err
	}
	room := &hold{room: v.door.bodies}
	defer room.release()
	body, err := v.readBody(room)
	if err != nil {
		return err
	}
	body, err = v.address(who, body)
	if err != nil {
		return err
	}
	v.relay(body)
	return nil
}

// address finds out which Model the body names, and leaves in it the name that
// the replica knows.
func (v *visit) address(who *identity, body []byte) ([]byte, error) {
	boundary, isForm := formBoundary(v.request.Header)
	find := func() (span, string, error) { return findString(body, "model") }
	if isForm {
		find = func() (span, string, error) { return findFormField(body, boundary, "model") }
	}
	at, id, err := find()
	if err != nil {
		return nil, err
	}
	found, err := v.resolve(who, id)
	switch {
	case err != nil:
		return nil, err
	case id == found.model.Name:
	case isForm:
		body = replace(body, at, found.model.Name)
	default:
		overwrite(body, at, found.model.Name)
	}
	return body, nil
}

// resolve finds the Model that an id means to the holder of a key, if the key
// may use it. That a Model of another namespace exists is not told to a key
// that may not.
func (v *visit) resolve(who *identity, id string) (endpoint, error) {
	name := modelName(id, who.home)
	found, exists := v.door.table.find(name)
	if !exists {
		return endpoint{}, noSuchModel(id, who.home)
	}
	allowed, err := v.door.access.may(v.request.Context(), who, name)
	switch {
	case err != nil:
		return endpoint{}, err
	case !allowed && name.Namespace == who.home:
		return endpoint{}, notAllowed(who.user.Username, id, name.Namespace)
	case !allowed:
		return endpoint{}, noSuchModel(id, who.home)
	}
	v.model = name
	return found, nil
}

// noReplica is why a Model does not answer, in its own words.
func noReplica(model *slipwayv1.Model, id string) *failure {
	wait := 5 * time.Second
	if meta.IsStatusConditionTrue(model.Status.Conditions, slipwayv1.ConditionStalled) {
		wait = 30 * time.Second
	}
	why := "it is being set up"
	ready := meta.FindStatusCondition(model.Status.Conditions, slipwayv1.ConditionReady)
	switch {
	case ready == nil:
	case ready.Status == metav1.ConditionTrue && ptr.Deref(model.Spec.Replicas, 1) > 0:
		why = "its replicas are changing"
	default:
		why = ready.Message
	}
	return unavailable(wait, "model %q does not answer: %s", id, why)
}

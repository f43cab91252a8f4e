// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// modelObject is how OpenAI's API describes a model.
type modelObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func describe(model *slipwayv1.Model, home string) modelObject {
	return modelObject{
		ID:      modelID(client.ObjectKeyFromObject(model), home),
		Object:  "model",
		Created: model.CreationTimestamp.Unix(),
		OwnedBy: model.Namespace,
	}
}

// listModels lists the Models that the key may use: those of its own namespace,
// and those of namespaces all of whose Models it may use. A single Model of
// another namespace can be used and shown but is not listed, for that would ask
// about every Model of the cluster.
func (v *visit) listModels() error {
	if err := v.method(http.MethodGet); err != nil {
		return err
	}
	who, err := v.door.keys.identify(v.request)
	if err != nil {
		return err
	}
	models := v.door.table.models()
	listed, err := v.listed(who, models)
	if err != nil {
		return err
	}
	list := []modelObject{}
	for i, model := range models {
		if listed[i] {
			list = append(list, describe(model, who.home))
		}
	}
	return v.json(struct {
		Object string        `json:"object"`
		Data   []modelObject `json:"data"`
	}{"list", list})
}

// listedAtOnce is about how many namespaces one client asks about at a time.
const listedAtOnce = 8

// listed says of each Model whether it is listed. Several are asked about at a
// time, for the answers are the API server's; what is the same question is asked
// once.
func (v *visit) listed(who *identity, models []*slipwayv1.Model) ([]bool, error) {
	listed := make([]bool, len(models))
	group, ctx := errgroup.WithContext(v.request.Context())
	group.SetLimit(listedAtOnce)
	for i, model := range models {
		group.Go(func() (err error) {
			listed[i], err = v.lists(ctx, who, model)
			return err
		})
	}
	return listed, group.Wait()
}

// lists asks for the widest permission first: that answer serves all.
func (v *visit) lists(ctx context.Context, who *identity, model *slipwayv1.Model) (bool, error) {
	asks := []types.NamespacedName{{}, {Namespace: model.Namespace}}
	if model.Namespace == who.home {
		asks = append(asks, client.ObjectKeyFromObject(model))
	}
	for _, ask := range asks {
		if allowed, err := v.door.access.may(ctx, who, ask); err != nil || allowed {
			return allowed, err
		}
	}
	return false, nil
}

func (v *visit) showModel(id string) error {
	if err := v.method(http.MethodGet); err != nil {
		return err
	}
	who, err := v.door.keys.identify(v.request)
	if err != nil {
		return err
	}
	found, err := v.resolve(who, id)
	if err != nil {
		return err
	}
	return v.json(describe(found.model, who.home))
}

func (v *visit) json(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	v.answer.Header().Set("Content-Type", "application/json")
	v.answer.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, err = v.answer.Write(text)
	return err
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// maxModelName is the limit that the Model kind validates.
const maxModelName = 40

// Deploy is an endpoint as the command line describes it.
type Deploy struct {
	Name, Namespace string
	Image           string
	Claim           string // CLAIM or CLAIM:path
	Port            int32  // 0 is the default
	ReadyPath       string // empty is the default
	Replicas        *int32 // nil leaves the number to the Model
	Resources       Resources
	Env             []string // NAME=VALUE
	Command         []string
}

// Model builds the endpoint.
func (d Deploy) Model() (*slipwayv1.Model, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	env, err := environment(d.Env)
	if err != nil {
		return nil, err
	}
	resources, err := d.Resources.requirements()
	if err != nil {
		return nil, err
	}
	source, err := d.source()
	if err != nil {
		return nil, err
	}
	return &slipwayv1.Model{
		TypeMeta:   metav1.TypeMeta{APIVersion: slipwayv1.GroupVersion.String(), Kind: "Model"},
		ObjectMeta: metav1.ObjectMeta{Name: d.Name, Namespace: d.Namespace},
		Spec: slipwayv1.ModelSpec{
			Source:   source,
			Replicas: d.Replicas,
			Engine: slipwayv1.Engine{Container: &slipwayv1.ContainerEngine{
				Image: d.Image, ImagePullPolicy: pullPolicy, Command: d.Command, Env: env, Resources: resources,
				Port: d.Port, ReadyPath: d.ReadyPath,
			}},
		},
	}, nil
}

func (d Deploy) check() error {
	if err := checkName(d.Name, maxModelName); err != nil {
		return err
	}
	switch {
	case d.Image == "":
		return fmt.Errorf("--image is missing; name the image to run, or give a manifest with --file")
	case d.Port < 0 || d.Port > 65535:
		return fmt.Errorf("--port is %d; use 1 to 65535", d.Port)
	case d.ReadyPath != "" && !path.IsAbs(d.ReadyPath):
		return fmt.Errorf("--ready-path is %q; begin it with a slash, such as /health", d.ReadyPath)
	case d.Replicas != nil && *d.Replicas < 0:
		return fmt.Errorf("--replicas is %d; use zero or more", *d.Replicas)
	}
	return nil
}

// source: the path is one below the volume's root, with or without the slash
// that people write before it.
func (d Deploy) source() (*slipwayv1.ModelSource, error) {
	if d.Claim == "" {
		return nil, nil
	}
	name, below, _ := strings.Cut(d.Claim, ":")
	below = strings.Trim(path.Clean("./"+below), "/")
	if below == "." {
		below = ""
	}
	if len(validation.IsDNS1123Subdomain(name)) > 0 || below != "" && !filepath.IsLocal(below) {
		return nil, fmt.Errorf("--claim %q is no place of weights; write CLAIM or CLAIM:path, such as data:checkpoints/last", d.Claim)
	}
	return &slipwayv1.ModelSource{Claim: &slipwayv1.ClaimSource{Name: name, Path: below}}, nil
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package images

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// nobody is the user that our own images run as.
const nobody = "65532:65532"

// FromProgram returns a docker archive of an image that holds one static
// program, as /NAME, and runs it.
func FromProgram(path, entry, reference string) ([]byte, error) {
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the program of image %s: %w", reference, err)
	}
	layer, err := programLayer(program, entry)
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, fmt.Errorf("making image %s: %w", reference, err)
	}
	image, err = mutate.ConfigFile(image, configOf(image, entry))
	if err != nil {
		return nil, fmt.Errorf("making image %s: %w", reference, err)
	}
	tag, err := name.NewTag(reference)
	if err != nil {
		return nil, fmt.Errorf("naming image %s: %w", reference, err)
	}
	var out bytes.Buffer
	if err := tarball.Write(tag, image, &out); err != nil {
		return nil, fmt.Errorf("writing image %s: %w", reference, err)
	}
	return out.Bytes(), nil
}

func configOf(image v1.Image, entry string) *v1.ConfigFile {
	config, err := image.ConfigFile()
	if err != nil {
		config = &v1.ConfigFile{}
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint = []string{"/" + entry}
	config.Config.User = nobody
	return config
}

func programLayer(program []byte, entry string) (v1.Layer, error) {
	var content bytes.Buffer
	w := tar.NewWriter(&content)
	err := w.WriteHeader(&tar.Header{Name: entry, Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = w.Write(program)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("packing %s: %w", entry, err)
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	})
}

// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

const (
	// Image is what pods of the tests run; ImportProbe brings it to the nodes.
	Image = "slipway.local/probe:e2e"
	// Program is its only file.
	Program = "/probe"
)

// Form is how an archive of an image is written.
type Form struct {
	Name string
	// OCI says an OCI layout, otherwise what "docker save" writes.
	OCI bool
	// Layer is how the layer is compressed: "gzip", the default, or "zstd".
	Layer string
	// Archive is how the whole is compressed: "gzip", "zstd" or not at all.
	Archive string
}

// BuildProbe compiles the program of the image.
func (c *Cluster) BuildProbe(t *testing.T) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "probe")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "./test/e2e/rig/probe")
	cmd.Dir, cmd.Env = c.root, append(os.Environ(), "CGO_ENABLED=0")
	if o := RunCommand(t, cmd); o.Code != 0 {
		t.Fatalf("building the probe: %s", o.Stderr)
	}
	program, err := os.ReadFile(out)
	must(t, err)
	return program
}

// ImportProbe brings the image to every node.
func (c *Cluster) ImportProbe(t *testing.T) {
	t.Helper()
	c.OK(t, "image", "import", Pack(t, c.BuildProbe(t), Image, Form{Name: "docker"}))
}

// Pack writes an image that holds one program into an archive of the given form
// and returns its path.
func Pack(t *testing.T, program []byte, reference string, form Form) string {
	t.Helper()
	image := imageOf(t, program, form)
	var content bytes.Buffer
	if form.OCI {
		writeOCI(t, image, reference, &content)
	} else {
		tag, err := name.NewTag(reference)
		must(t, err)
		must(t, tarball.Write(tag, image, &content))
	}
	path := filepath.Join(t.TempDir(), form.Name+".archive")
	must(t, os.WriteFile(path, compressed(t, content.Bytes(), form.Archive), 0o600))
	return path
}

func imageOf(t *testing.T, program []byte, form Form) v1.Image {
	t.Helper()
	base, kind := v1.Image(empty.Image), types.DockerLayer
	if form.OCI {
		base = mutate.ConfigMediaType(mutate.MediaType(base, types.OCIManifestSchema1), types.OCIConfigJSON)
		kind = types.OCILayer
	}
	options := []tarball.LayerOption{tarball.WithMediaType(kind)}
	if form.Layer == "zstd" {
		options = []tarball.LayerOption{tarball.WithMediaType(types.OCILayerZStd), tarball.WithCompression(compression.ZStd)}
	}
	content := layerOf(t, program)
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }, options...)
	must(t, err)
	image, err := mutate.AppendLayers(base, layer)
	must(t, err)
	config, err := image.ConfigFile()
	must(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint, config.Config.User = []string{Program}, "65532:65532"
	image, err = mutate.ConfigFile(image, config)
	must(t, err)
	return image
}

func layerOf(t *testing.T, program []byte) []byte {
	t.Helper()
	var content bytes.Buffer
	w := tar.NewWriter(&content)
	must(t, w.WriteHeader(&tar.Header{Name: Program[1:], Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}))
	_, err := w.Write(program)
	must(t, err)
	must(t, w.Close())
	return content.Bytes()
}

// writeOCI writes an OCI layout as a tar file, as "skopeo copy oci-archive:" does.
func writeOCI(t *testing.T, image v1.Image, reference string, out io.Writer) {
	t.Helper()
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	must(t, err)
	must(t, path.AppendImage(image, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": reference})))
	w := tar.NewWriter(out)
	must(t, w.AddFS(os.DirFS(dir)))
	must(t, w.Close())
}

func compressed(t *testing.T, content []byte, how string) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch how {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		encoder, err := zstd.NewWriter(&out)
		must(t, err)
		w = encoder
	default:
		return content
	}
	_, err := w.Write(content)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

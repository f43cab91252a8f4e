// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package images imports, lists and removes the container images of a node, and
// makes the images that consist of our own programs.
//
// It talks to the node's containerd, not to a registry. An import is whole or
// not at all: content that was read from an archive that turns out corrupt is
// named by no image and is removed by containerd.
package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"golang.org/x/sys/unix"
)

// namespace is where the CRI service keeps its images.
const namespace = "k8s.io"

// managed marks an image as the CRI service's own.
const managed = "io.cri-containerd.image"

// Store is the image store of one node.
type Store struct{ client *containerd.Client }

// Open connects to a node's containerd.
func Open(socket string) (*Store, error) {
	client, err := containerd.New(socket, containerd.WithDefaultNamespace(namespace), containerd.WithTimeout(10*time.Second))
	if err != nil {
		return nil, fmt.Errorf("connecting to containerd at %s: %w", socket, err)
	}
	return &Store{client}, nil
}

// Close closes the connection.
func (s *Store) Close() error { return s.client.Close() }

// Import reads an OCI or docker archive, compressed or not, and returns the
// names of its images. An archive that names none gets the given name.
func (s *Store) Import(ctx context.Context, r io.Reader, name string) ([]string, error) {
	ctx = namespaces.WithNamespace(ctx, namespace)
	lease, err := s.client.LeasesService().Create(ctx, leases.WithRandomID(), leases.WithExpiration(time.Hour))
	if err != nil {
		return nil, fmt.Errorf("leasing content: %w", err)
	}
	// What no image names is gone when this returns: it may be what fills the disk.
	defer func() {
		_ = s.client.LeasesService().Delete(context.WithoutCancel(ctx), lease, leases.SynchronousDelete)
	}()
	ctx = leases.WithLease(ctx, lease.ID)
	plain, err := compression.DecompressStream(r)
	if err != nil {
		return nil, fmt.Errorf("decompressing the archive: %w", err)
	}
	defer plain.Close()
	options := []containerd.ImportOpt{containerd.WithImageLabels(map[string]string{managed: "managed"})}
	if name != "" {
		options = append(options, containerd.WithIndexName(name), containerd.WithImageRefTranslator(func(string) string { return name }))
	} else {
		options = append(options, containerd.WithImageRefTranslator(qualified))
	}
	imported, err := s.client.Import(ctx, plain, options...)
	if err != nil {
		return nil, err
	}
	return s.unpack(ctx, imported)
}

// qualified completes a reference as Docker does (its registry and "library/"
// are left out by custom) and drops a tag alone ("latest"), which OCI layouts
// may carry instead of a name.
func qualified(ref string) string {
	first, _, hasPath := strings.Cut(ref, "/")
	switch {
	case !strings.ContainsAny(ref, "/:"):
		return ""
	case !hasPath:
		return "docker.io/library/" + ref
	case strings.ContainsAny(first, ".:") || first == "localhost":
		return ref
	}
	return "docker.io/" + ref
}

func (s *Store) unpack(ctx context.Context, imported []images.Image) ([]string, error) {
	if len(imported) == 0 {
		return nil, errors.New("the archive names no image; give it a name with --name registry/name:tag")
	}
	var names []string
	for _, i := range imported {
		image := containerd.NewImageWithPlatform(s.client, i, platforms.Default())
		if err := image.Unpack(ctx, "overlayfs"); err != nil {
			return nil, errors.Join(fmt.Errorf("unpacking %s: %w", i.Name, err), s.remove(ctx, i.Name))
		}
		names = append(names, i.Name)
	}
	return names, nil
}

// Image is one image of a node.
type Image struct {
	Name    string    `json:"name"`
	Digest  string    `json:"digest"`
	Size    int64     `json:"sizeBytes"`
	Created time.Time `json:"created"`
}

// List returns the images, by name, without the aliases by digest.
func (s *Store) List(ctx context.Context) ([]Image, error) {
	ctx = namespaces.WithNamespace(ctx, namespace)
	all, err := s.client.ListImages(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing images: %w", err)
	}
	var list []Image
	for _, i := range all {
		if strings.HasPrefix(i.Name(), "sha256:") || strings.Contains(i.Name(), "@sha256:") {
			continue
		}
		size, err := i.Size(ctx)
		if err != nil && !errdefs.IsNotFound(err) {
			return nil, fmt.Errorf("measuring %s: %w", i.Name(), err)
		}
		list = append(list, Image{i.Name(), i.Target().Digest.String(), size, i.Metadata().CreatedAt})
	}
	slices.SortFunc(list, func(a, b Image) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Remove removes an image and its aliases.
func (s *Store) Remove(ctx context.Context, name string) error {
	ctx = namespaces.WithNamespace(ctx, namespace)
	image, err := s.client.GetImage(ctx, name)
	if errdefs.IsNotFound(err) {
		return fmt.Errorf("there is no image %q; \"slipway image ls\" shows those there are", name)
	}
	if err != nil {
		return fmt.Errorf("finding image %s: %w", name, err)
	}
	config, err := image.Config(ctx)
	if err == nil {
		_ = s.remove(ctx, config.Digest.String())
	}
	return s.remove(ctx, name)
}

func (s *Store) remove(ctx context.Context, name string) error {
	err := s.client.ImageService().Delete(ctx, name, images.SynchronousDelete())
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("removing image %s: %w", name, err)
	}
	return nil
}

// Has says whether an image with the name is there.
func (s *Store) Has(ctx context.Context, name string) bool {
	_, err := s.client.GetImage(namespaces.WithNamespace(ctx, namespace), name)
	return err == nil
}

// ImportFile imports the archive at path and reports the bytes read to
// progress, which may be nil.
func (s *Store) ImportFile(ctx context.Context, path, name string, progress func(read, total int64)) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the archive: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the archive: %w", err)
	}
	var r io.Reader = f
	if progress != nil {
		r = &meter{r: f, total: info.Size(), progress: progress}
	}
	names, err := s.Import(ctx, r, name)
	if err != nil {
		return nil, fmt.Errorf("importing %s: %w; nothing was imported%s", path, err, cure(err))
	}
	return names, nil
}

// cure for an import that failed. containerd's errors come over a socket, as
// text.
func cure(err error) string {
	text := err.Error()
	for _, known := range []struct{ cause, cure string }{
		{context.Canceled.Error(), ""},
		{"names no image", ""},
		{unix.ENOSPC.Error(), "; free some space and import it again"},
	} {
		if strings.Contains(text, known.cause) {
			return known.cure
		}
	}
	return "; if the archive is damaged or incomplete, make it anew"
}

type meter struct {
	r           io.Reader
	read, total int64
	progress    func(read, total int64)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.read += int64(n)
	m.progress(m.read, m.total)
	return n, err
}

// ImportBytes imports an archive that this program made.
func (s *Store) ImportBytes(ctx context.Context, archive []byte) error {
	_, err := s.Import(ctx, bytes.NewReader(archive), "")
	return err
}

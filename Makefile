# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0
#
#   make demo     build, start a cluster, train a language model, deploy it, ask it
#   make test     everything that can be tested without starting a cluster
#   make e2e      everything else, on real clusters (root)
#   make help     all targets

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# Flags are the same for every build and test, so that they share one cache.
export CGO_ENABLED := 0
GO      ?= go
TAGS    := no_btrfs,no_devmapper,no_zfs,no_tracing
BIN     := build/bin
LIBEXEC := $(BIN)/libexec
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# Upstream's programs say their version only when it is linked in; it is the
# one in go.mod.
version_of = $(shell $(GO) list -m -f '{{.Version}}' $(1))
KUBERNETES := $(call version_of,k8s.io/kubernetes)
LDFLAGS := -s -w \
  -X k8s.io/component-base/version.gitVersion=$(KUBERNETES) \
  -X k8s.io/client-go/pkg/version.gitVersion=$(KUBERNETES) \
  -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$(word 2,$(subst ., ,$(KUBERNETES))) \
  -X github.com/containerd/containerd/v2/version.Version=$(call version_of,github.com/containerd/containerd/v2)
BUILD   := $(GO) build -trimpath -ldflags "$(LDFLAGS)"
LINT    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

CNI_PLUGINS := plugins/main/ptp plugins/main/loopback plugins/ipam/host-local plugins/meta/portmap

.PHONY: help build tools demo test test-unit e2e lint vet generate verify bench release clean
.DEFAULT_GOAL := help

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

tools: ## install the host's packages that building and running need (Debian, Ubuntu)
	@hack/host-tools.sh

build: tools ## build slipway and the embedded Kubernetes into build/bin
	@mkdir -p $(LIBEXEC)/cni
	@echo "building slipway"
	@$(BUILD) -o $(BIN)/slipway ./cmd/slipway
	@echo "building slipway-kube (all of Kubernetes: the first time takes about ten minutes on two cores)"
	@$(BUILD) -tags $(TAGS) -o $(BIN)/slipway-kube ./cmd/slipway-kube
	@echo "building runc, the shim, network plugins and pause"
	@CGO_ENABLED=1 $(GO) build -trimpath -tags seccomp,netgo,osusergo -ldflags '$(LDFLAGS) -extldflags -static' -o $(LIBEXEC)/runc github.com/opencontainers/runc
	@$(BUILD) -tags $(TAGS) -o $(LIBEXEC)/containerd-shim-runc-v2 github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2
	@for p in $(CNI_PLUGINS); do $(BUILD) -o $(LIBEXEC)/cni/$$(basename $$p) github.com/containernetworking/plugins/$$p; done
	@$(BUILD) -o $(LIBEXEC)/pause ./cmd/pause

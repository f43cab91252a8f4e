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

.PHONY: help build tools demo test fuzz e2e lint test-race generate verify bench release clean
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
	@echo "building runc, the shim, network plugins and small helpers"
	@CGO_ENABLED=1 $(GO) build -trimpath -tags seccomp,netgo,osusergo -ldflags '$(LDFLAGS) -extldflags -static' -o $(LIBEXEC)/runc github.com/opencontainers/runc
	@$(BUILD) -tags $(TAGS) -o $(LIBEXEC)/containerd-shim-runc-v2 github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2
	@for p in $(CNI_PLUGINS); do $(BUILD) -o $(LIBEXEC)/cni/$$(basename $$p) github.com/containernetworking/plugins/$$p; done
	@$(BUILD) -o $(LIBEXEC)/cni/cni-netns ./cmd/cni-netns
	@$(BUILD) -o $(LIBEXEC)/pause ./cmd/pause
	@$(BUILD) -o $(LIBEXEC)/guard ./cmd/guard
	@echo "built $(BIN)/slipway"

# What links Kubernetes' servers is tested without go vet: vet would first
# examine all of Kubernetes. "make lint" vets it.
KUBE_PACKAGES = $(shell $(GO) list ./internal/embedded/... ./cmd/slipway-kube ./test/conformance/filters)
PACKAGES      = $(shell $(GO) list ./... | grep -vE '/test/(e2e|bench|conformance/filters)|/internal/embedded|/cmd/slipway-kube')

test: build ## test everything that needs no cluster (an API server is started for some)
	$(GO) test -trimpath $(PACKAGES)
	$(GO) test -trimpath -tags $(TAGS) -vet=off $(KUBE_PACKAGES)

test-race: ## the same under the race detector, for the packages with goroutines of their own
	CGO_ENABLED=1 $(GO) test -trimpath -race ./internal/placement/... ./internal/scheduler/... ./internal/training/... \
	  ./internal/serving/... ./internal/frontdoor/... ./internal/cli/... ./internal/embedded/supervise/...

fuzz: ## a million random clusters and orders of events; half an hour on two cores
	$(GO) test -trimpath -timeout 3h ./internal/placement -run TestRandomPictures -pictures 1000000
	$(GO) test -trimpath ./internal/scheduler -run '^$$' -fuzz FuzzDiesAfterEveryWrite -fuzztime 3m

e2e: build ## test on real clusters; needs root
	$(GO) test -trimpath -tags $(TAGS) -vet=off -count=1 -p 1 -timeout 30m ./test/e2e/...

demo: build ## train a small language model, deploy it and ask it something
	@hack/demo.sh

lint: ## run the linters
	$(GO) run -trimpath $(LINT) run --build-tags $(TAGS) ./...

generate: ## write deep copies, schemas and roles anew from the types
	@mkdir -p build/tools build/kubeflow
	@$(BUILD) -o build/tools/controller-gen sigs.k8s.io/controller-tools/cmd/controller-gen
	@build/tools/controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/v1alpha1
	@build/tools/controller-gen crd:maxDescLen=400,generateEmbeddedObjectMeta=true paths=./api/v1alpha1 output:crd:dir=api/crds
	@build/tools/controller-gen crd:maxDescLen=0,generateEmbeddedObjectMeta=true \
	  paths=github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1 output:crd:dir=build/kubeflow
	@cp build/kubeflow/kubeflow.org_pytorchjobs.yaml api/crds/
	@# Nobody but the controller writes the status: no book is kept of whose its fields are (api/v1alpha1/gang.go).
	@sed -i 's/^          status:$$/&\n            x-kubernetes-map-type: atomic/' api/crds/kubeflow.org_pytorchjobs.yaml
	@# Kubernetes' pattern of a quantity lets exponents pass that its own parser refuses, or takes hours for.
	@sed -i 's/\[eE\](\\+|-)?.*/[eE](\\+|-)?[0-9]{1,2}))?$$/' api/crds/*.yaml
	@$(GO) test -trimpath ./internal/platform -run TestRole -update >/dev/null

verify: generate ## check that what is generated and formatted is up to date
	@test -z "$$(gofmt -l api cmd internal test)" || { gofmt -l api cmd internal test; echo "run gofmt -w on these files"; exit 1; }
	@$(GO) mod verify >/dev/null
	@git diff --exit-code -- api go.mod go.sum || { echo "generated files are out of date; commit what \"make generate\" wrote"; exit 1; }

bench: bench-boot bench-memory bench-pod bench-kill bench-trace bench-scale ## run every benchmark; results in build/bench/*.json

bench-%: build ## run one benchmark: boot, memory, pod, kill
	$(GO) run -trimpath ./test/bench/$*

bench-trace: ## a simulated week under three policies; needs no cluster, two to ten minutes
	$(GO) run -trimpath ./test/bench/trace

bench-scale: build ## thousands of fake nodes against a real API server; about half an hour, needs no root
	$(GO) run -trimpath ./test/scale

release: build ## one file with the embedded Kubernetes packed inside: build/slipway
	@rm -rf build/payload && mkdir -p build/payload && cp -al $(BIN)/slipway-kube $(LIBEXEC) build/payload/
	@$(GO) run -trimpath ./internal/release/pack -program $(BIN)/slipway -dir build/payload -o build/slipway
	@ls -lh build/slipway

clean: ## remove what was built; caches of images stay
	rm -rf build/bin build/bench build/tools build/kubeflow build/slipway

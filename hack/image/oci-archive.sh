#!/usr/bin/env bash
# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Packs file system layers into an OCI image archive, without a registry or a
# container engine: oci-archive.sh NAME CONFIG OUT LAYER...
#
#   NAME    full image name with a tag, which importers give to the image
#   CONFIG  JSON file with the "config" object of the image (user, env, command)
#   OUT     archive to write, replaced as a whole
#   LAYER   tar archives compressed with zstd, lowest first; digests are kept
#           beside each one in LAYER.digests
set -euo pipefail

die() {
    echo "oci-archive: $*" >&2
    exit 1
}

# Prints DIGEST DIFF-ID SIZE of a layer: of its bytes, and of the tar inside.
layer_digests() {
    local layer=$1 digest diff_id
    if [[ ! "$layer.digests" -nt "$layer" ]]; then
        digest=$(sha256sum <"$layer" | cut -d' ' -f1)
        diff_id=$(zstd -dcq "$layer" | sha256sum | cut -d' ' -f1)
        echo "$digest $diff_id $(stat -c %s "$layer")" >"$layer.digests.tmp"
        mv "$layer.digests.tmp" "$layer.digests"
    fi
    cat "$layer.digests"
}

# Adds a JSON document read from stdin as a blob; prints its descriptor.
add_document() {
    local type=$1 draft="$staging/draft" digest
    cat >"$draft"
    digest=$(sha256sum <"$draft" | cut -d' ' -f1)
    printf '{"mediaType":"%s","digest":"sha256:%s","size":%d' "$type" "$digest" "$(stat -c %s "$draft")"
    mv "$draft" "$blobs/$digest"
}

architecture() {
    case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) die "unknown machine $(uname -m): add its name in the image specification here" ;;
    esac
}

[[ $# -ge 4 ]] || die "usage: oci-archive.sh NAME CONFIG OUT LAYER..."
name=$1 config=$2 out=$3
shift 3
arch=$(architecture)

staging=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$staging"' EXIT
blobs="$staging/blobs/sha256"
mkdir -p "$blobs"

layers='' diff_ids=''
for layer in "$@"; do
    read -r digest diff_id size < <(layer_digests "$layer")
    ln -s "$(realpath "$layer")" "$blobs/$digest"
    layers+=",{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+zstd\",\"digest\":\"sha256:$digest\",\"size\":$size}"
    diff_ids+=",\"sha256:$diff_id\""
done

image_config=$(add_document application/vnd.oci.image.config.v1+json <<JSON
{"architecture":"$arch","os":"linux","config":$(cat "$config"),"rootfs":{"type":"layers","diff_ids":[${diff_ids:1}]}}
JSON
)
manifest=$(add_document application/vnd.oci.image.manifest.v1+json <<JSON
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$image_config},"layers":[${layers:1}]}
JSON
)
cat >"$staging/index.json" <<JSON
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[$manifest,
"platform":{"architecture":"$arch","os":"linux"},
"annotations":{"io.containerd.image.name":"$name","org.opencontainers.image.ref.name":"${name##*:}"}}]}
JSON
echo '{"imageLayoutVersion":"1.0.0"}' >"$staging/oci-layout"

tar --create --dereference --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
    --directory "$staging" --file "$staging/archive" oci-layout index.json blobs
mv "$staging/archive" "$out"

#!/usr/bin/env bash
# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Runs the tests of the example in the root file system of its image, which has
# PyTorch; the host needs none. Needs root. Arguments go to unittest, for example
# `./test.sh tests.test_data`; without any, all tests run.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
cache=$(realpath "$here/../..")/build/cache/tinylm

"$here/build-image.sh"
layers=("$cache"/root-*.tar.zst)
root=${layers[0]%.tar.zst}
if [[ ! -e $root ]]; then
    find "$cache" -maxdepth 1 -type d -name 'root-*' -exec rm -rf {} +
    mkdir -p "$root.tmp/dev"
    zstd -dcq "${layers[0]}" | tar --extract --directory "$root.tmp"
    mv "$root.tmp" "$root"
fi

# Mounts and processes end with this script; gloo is told its interface because
# the host's name need not resolve in there.
# shellcheck disable=SC2016 # expanded by the inner shell
exec unshare --mount --pid --fork --kill-child bash -c '
    set -euo pipefail
    root=$1 source=$2
    shift 2
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mkdir "$root/tmp/tinylm"
    mount --bind -o ro "$source" "$root/tmp/tinylm"
    exec env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 GLOO_SOCKET_IFNAME=lo \
        chroot --userspec=65532:65532 "$root" sh -c "cd /tmp/tinylm && exec python3 -m unittest \"\$@\"" - "$@"
' - "$root" "$here" "$@"

#!/usr/bin/env bash
# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Builds the image of the tinylm example from Debian packages, without a
# registry or a container engine, as build/images/tinylm.tar. Needs root,
# mmdebstrap and zstd.
#
# The root file system (Python, PyTorch, the text) and the program are two
# layers, each kept under build/cache/tinylm under the hash of what it is made
# from: an edit of the program costs a second.
#
# DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR override the mirrors, which are the
# host's own where it runs Debian.
set -euo pipefail

readonly IMAGE=slipway.local/tinylm:dev
readonly SUITE=trixie
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
readonly NEEDED_MB=3000

here=$(dirname "$(realpath "$0")")
repository=$(realpath "$here/../..")
cache="$repository/build/cache/tinylm"
out="$repository/build/images/tinylm.tar"

say() { echo "tinylm image: $*"; }
die() {
    echo "tinylm image: $*" >&2
    exit 1
}

check_host() {
    local tool
    for tool in mmdebstrap zstd; do
        command -v "$tool" >/dev/null || die "$tool is missing; install it with: apt-get install mmdebstrap zstd"
    done
    [[ -e $KEYRING ]] || die "$KEYRING is missing; install it with: apt-get install debian-archive-keyring"
    [[ $(id -u) -eq 0 ]] || die "making a root file system needs root; run: sudo examples/tinylm/build-image.sh"
}

check_space() {
    local free
    free=$(df --output=avail --block-size=1M "$cache" | tail -n 1)
    ((free >= NEEDED_MB)) || die "$cache has ${free} MB left and the build needs $NEEDED_MB; free some space"
}

# Prints the hash of what a function here makes from some files.
hash_of() { (cd "$here" && declare -f "$1" && echo "$IMAGE $SUITE $(uname -m)" && cat "${@:2}") | sha256sum | cut -c1-16; }

# Prints the host's own mirror of a Debian suite, e.g. bookworm or bookworm-security.
host_mirror() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$1" '$1 == release && $2 == "main" { print $3; exit }'
}

# Prints the sources to install from, one a line.
sources() {
    local main=${DEBIAN_MIRROR:-} security=${DEBIAN_SECURITY_MIRROR:-} ID='' VERSION_CODENAME=''
    # shellcheck disable=SC1091
    [[ -e /etc/os-release ]] && . /etc/os-release
    if [[ $ID == debian ]]; then
        main=${main:-$(host_mirror "$VERSION_CODENAME")}
        security=${security:-$(host_mirror "$VERSION_CODENAME-security")}
    fi
    echo "deb ${main:-http://deb.debian.org/debian} $SUITE main"
    echo "deb ${security:-http://deb.debian.org/debian-security} $SUITE-security main"
}

# Prints how the host's apt reaches its mirrors: proxies, certificates, whether it checks dates.
host_apt_options() {
    apt-config dump | grep -E '^Acquire::(https?::(.*::)?(Proxy|CaInfo)|Check-Valid-Until|Check-Date|Retries) ' || true
}

# Writes the lower layer, without what mmdebstrap copies from the host into it.
build_root() {
    local root=$1 log=$cache/mmdebstrap.log options=() line
    while read -r line; do options+=(--aptopt="$line"); done < <(host_apt_options)
    say "installing Debian $SUITE with PyTorch, once; about a minute and 250 MB to download"
    # shellcheck disable=SC2016 # hooks are run by mmdebstrap, with the new root as $1
    sources | TMPDIR=$cache SOURCE_DATE_EPOCH=0 mmdebstrap --variant=minbase --format=tar \
        --skip=output/dev --keyring="$KEYRING" "${options[@]}" \
        --include="$(paste -sd, "$here/image/packages")" --dpkgopt="$here/image/dpkg.cfg" \
        --customize-hook="copy-in $here/image/finish-root.sh /tmp" \
        --customize-hook='chroot "$1" sh /tmp/finish-root.sh' \
        --customize-hook='cd "$1" && rm tmp/finish-root.sh etc/hostname etc/resolv.conf' \
        --customize-hook='cd "$1" && rm etc/apt/sources.list etc/apt/apt.conf.d/99mmdebstrap' \
        "$SUITE" - - 2> >(tee "$log" | sed -un 's/^I: /tinylm image:   /p' >&2) |
        zstd -q -T0 -6 -f -o "$root.tmp" || root_failed "$log"
    mv "$root.tmp" "$root"
    rm -f "$log"
}

root_failed() {
    rm -f "$root.tmp"
    die "making the root file system failed: $(grep '^E: ' "$1" | head -n 1); all of it is in $1"
}

build_program() {
    tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        --exclude=__pycache__ --transform='s,^,app/,' --directory "$here" tinylm | zstd -q -o "$1.tmp" -f
    mv "$1.tmp" "$1"
}

pack() { "$repository/hack/image/oci-archive.sh" "$IMAGE" "$here/image/config.json" "$out" "$@"; }

# Removes layers of earlier versions.
drop_others() { find "$cache" -maxdepth 1 -name '*.tar.zst*' ! -name "${1##*/}*" ! -name "${2##*/}*" -delete; }

fresh() { [[ -e $out && -e $root && -e $out.key && $(<"$out.key") == "$key" ]]; }

cd "$here" # for the patterns below
root="$cache/root-$(hash_of build_root image/packages image/dpkg.cfg image/finish-root.sh).tar.zst"
program="$cache/program-$(hash_of build_program tinylm/*.py).tar.zst"
key="${root##*/} ${program##*/} $(hash_of pack image/config.json ../../hack/image/oci-archive.sh)"
if fresh; then
    say "build/images/tinylm.tar is up to date"
    exit 0
fi
check_host
mkdir -p "$cache" "${out%/*}"
check_space
exec 9>"$cache/lock"
flock 9
if fresh; then
    say "build/images/tinylm.tar has just been built"
    exit 0
fi
[[ -e $root ]] || build_root "$root"
[[ -e $program ]] || build_program "$program"
say "packing"
pack "$root" "$program"
echo "$key" >"$out.key"
drop_others "$root" "$program"
say "wrote build/images/tinylm.tar, $(($(stat -c %s "$out") >> 20)) MB, as $IMAGE"

#!/usr/bin/env bash
# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Installs the packages that building and running need, where they are missing:
# on Debian and Ubuntu itself, elsewhere it names them and goes on.
set -euo pipefail

declare -A package=(
	[gcc]=gcc [pkg-config]=pkg-config [nft]=nftables [zstd]=zstd [mmdebstrap]=mmdebstrap
)
missing=()
for program in "${!package[@]}"; do
	command -v "$program" >/dev/null || missing+=("${package[$program]}")
done
# runc is linked statically with libseccomp, which has no program to look for.
pkg-config --exists libseccomp 2>/dev/null || missing+=(libseccomp-dev)
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "note: these programs are missing, under your distribution's names: ${missing[*]}" >&2
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "missing packages; install them with: sudo apt-get install -y ${missing[*]}" >&2
	exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# A mirror that is briefly away must not fail a build.
options=(-qq -o Acquire::Retries=3)
apt-get "${options[@]}" update
apt-get "${options[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null

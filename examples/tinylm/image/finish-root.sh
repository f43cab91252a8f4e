#!/bin/sh
# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Runs inside the new root file system, once its packages are installed.
set -eu

# Tests of Python packages, apart from numpy, which imports some of its own. dpkg
# cannot leave them out: packages compile all of their files when installed.
find /usr/lib/python3/dist-packages -path '*/numpy' -prune -o -type d -name tests -prune -exec rm -rf {} +

# The user that the image runs as; some libraries look up its name.
groupadd --gid 65532 tinylm
useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tinylm

# The text to train on, one verse a line, without its reference: a byte is a
# token, so the file is read as it is.
mkdir -p /app/data
bible -f "Gen 1:1 - Rev 22:21" | sed 's/^[^ ]* //' >/app/data/kjv.bin
verses=$(wc -l </app/data/kjv.bin)
if [ "$verses" -ne 31102 ]; then
    echo "the text has $verses verses, not 31102: the output of bible(1) has changed" >&2
    exit 1
fi

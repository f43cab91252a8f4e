# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""Tests of the example; run them with ../test.sh."""

# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""A language model small enough to train on two CPU cores while one waits.

Read in this order: ``data`` (text as bytes, split and sampled), ``model`` (the
network), ``train`` (the loop) with ``group`` (how workers find each other),
``checkpoint`` (how a run survives its pods) and ``termination`` (SIGTERM), then
``generate`` (bytes out of the network) and ``serve`` with ``protocol`` (the
OpenAI API in front of it).
"""

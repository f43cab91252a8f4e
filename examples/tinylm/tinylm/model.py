# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""The network: a decoder-only transformer over bytes.

Pre-norm blocks, causal attention with rotary positions, a squared-ReLU MLP and
an output layer tied to the embedding. Nothing in it is random after the first
initialisation, so a run is a function of its seed.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinylm.failure import Failure

VOCABULARY = 256  # a token is a byte


@dataclass(frozen=True)
class Shape:
    """What a checkpoint must agree on to be loaded; `context` is in bytes."""

    layers: int = 4
    dim: int = 96
    heads: int = 4
    context: int = 128

    def __post_init__(self) -> None:
        if min(self.layers, self.heads, self.context) < 1 or self.dim % (2 * self.heads):
            raise Failure(f"{self}: layers, heads and context are at least 1, dim a multiple of twice heads")


class Cache:
    """Keys and values of the positions seen so far, for generating one token at a time."""

    def __init__(self, shape: Shape) -> None:
        size = (shape.layers, 2, 1, shape.heads, shape.context, shape.dim // shape.heads)
        self._entries = torch.zeros(size)
        self.length = 0

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store new positions of one layer; returns all of that layer's so far."""
        end = self.length + key.shape[2]
        keys, values = self._entries[layer]
        keys[:, :, self.length : end] = key
        values[:, :, self.length : end] = value
        return keys[:, :, :end], values[:, :, :end]


def rotations(shape: Shape) -> Tensor:
    """Cosines and sines of rotary positions, (2, context, head/2); arXiv:2104.09864."""
    half = shape.dim // shape.heads // 2
    frequency = 10000.0 ** (-torch.arange(half) / half)
    angle = torch.outer(torch.arange(shape.context, dtype=torch.float32), frequency)
    return torch.stack((angle.cos(), angle.sin()))


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn pairs of features (i, i + half) by the angle of their position."""
    cos, sin = rotation
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class Attention(nn.Module):
    """Causal self-attention of one layer."""

    def __init__(self, shape: Shape, layer: int) -> None:
        super().__init__()
        self.heads, self.layer = shape.heads, layer
        self.qkv = nn.Linear(shape.dim, 3 * shape.dim, bias=False)
        self.out = nn.Linear(shape.dim, shape.dim, bias=False)

    def forward(self, x: Tensor, rotation: Tensor, cache: Cache | None) -> Tensor:
        batch, length, dim = x.shape
        split = self.qkv(x).view(batch, length, 3, self.heads, dim // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        query, key = rotate(query, rotation), rotate(key, rotation)
        if cache is not None:
            key, value = cache.extend(self.layer, key, value)
        # One query after a filled cache sees everything; a mask aligned to the
        # first key would hide all but that.
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=length > 1)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, dim))


class Block(nn.Module):
    """Attention and MLP, each normalised before and added to the stream."""

    def __init__(self, shape: Shape, layer: int) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(shape.dim)
        self.attention = Attention(shape, layer)
        self.norm_mlp = nn.LayerNorm(shape.dim)
        self.up = nn.Linear(shape.dim, 4 * shape.dim, bias=False)
        self.down = nn.Linear(4 * shape.dim, shape.dim, bias=False)

    def forward(self, x: Tensor, rotation: Tensor, cache: Cache | None) -> Tensor:
        x = x + self.attention(self.norm_attention(x), rotation, cache)
        return x + self.down(F.relu(self.up(self.norm_mlp(x))).square())


class TinyLM(nn.Module):
    """Logits of the next byte for every position of a batch of byte windows."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(VOCABULARY, shape.dim)
        self.blocks = nn.ModuleList(Block(shape, layer) for layer in range(shape.layers))
        self.norm = nn.LayerNorm(shape.dim)
        self.register_buffer("rotations", rotations(shape), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        """Normal weights; what writes into the stream is scaled down by its depth, as in GPT-2."""
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            residual = name.endswith(("out.weight", "down.weight"))
            nn.init.normal_(parameter, std=0.05 / math.sqrt(2 * self.shape.layers) if residual else 0.05)

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """Map (batch, length) tokens to (batch, length, 256) logits.

        With a cache, the first call may bring many tokens and each later call
        brings one; together they may not exceed `shape.context`.
        """
        start = cache.length if cache is not None else 0
        rotation = self.rotations[:, start : start + tokens.shape[1]]
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, rotation, cache)
        if cache is not None:
            cache.length += tokens.shape[1]
        return F.linear(self.norm(x), self.embedding.weight)

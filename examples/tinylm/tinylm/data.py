# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""Text as bytes: memory-mapped, split once, sampled reproducibly.

Which windows a step trains on is a function of seed and step alone, and the
ranks share them out. So a resumed run continues with exactly the windows that
it would have seen, and two workers see what one would.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tinylm.failure import Failure

HELD_OUT = 0.05  # the last part of the text, never trained on


class Text:
    """A file of bytes, split into a part to train on and a held-out part."""

    def __init__(self, path: Path, context: int) -> None:
        self._bytes = _map(path)
        self.train, self.held_out = split(self._bytes)
        if len(self.held_out) <= context:
            least = int((context + 2) / HELD_OUT)
            raise Failure(f"{path}: {len(self._bytes)} bytes are too few; a context of {context} needs {least}")

    def digest(self) -> str:
        """Identity of the whole text."""
        return hashlib.sha256(self._bytes).hexdigest()


def _map(path: Path) -> np.ndarray:
    try:
        return np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:  # ValueError: an empty file
        raise Failure(f"opening text {path}: {error}; name a file of plain text with --data") from error


def split(text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut off the last `HELD_OUT` of the text; views, not copies."""
    cut = len(text) - int(len(text) * HELD_OUT)
    return text[:cut], text[cut:]


def sample(text: np.ndarray, context: int, count: int, seed: int, step: int) -> np.ndarray:
    """Starts of the windows of one step: a function of its arguments only."""
    source = np.random.Generator(np.random.Philox(key=[seed, step]))
    return source.integers(0, len(text) - context, size=count)


def spread(text: np.ndarray, context: int, count: int) -> np.ndarray:
    """Starts of windows at equal distances, the same in every evaluation."""
    return np.linspace(0, len(text) - context - 1, num=count, dtype=np.int64)


def share(starts: np.ndarray, rank: int, world: int) -> np.ndarray:
    """The part of the windows that one rank works on; the parts are disjoint and cover all."""
    return starts[rank::world]


def windows(text: np.ndarray, starts: np.ndarray, context: int) -> tuple[Tensor, Tensor]:
    """Inputs and, one byte further, targets; both (len(starts), context) int64."""
    cut = np.stack([text[start : start + context + 1] for start in starts]).astype(np.int64)
    tokens = torch.from_numpy(cut)
    return tokens[:, :-1], tokens[:, 1:]

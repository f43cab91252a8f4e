# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""Checkpoints that survive whatever kills their writer.

A checkpoint is one file: the SHA-256 of the rest, then the rest. It appears
under its name only when it is whole and on disk, and it is believed only when
its digest matches; so a torn, truncated or rotten one costs some steps, never
the run.
"""

import hashlib
import os
from pathlib import Path

KEEP = 2  # a second one in case the newest is damaged
_DIGEST = hashlib.sha256().digest_size
_PATTERN = "step-*.ckpt"


class Checkpoints:
    """The checkpoints of one run in one directory, with a single writer."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        for leftover in directory.glob("*.tmp"):  # of a writer that was killed
            leftover.unlink()

    def save(self, step: int, content: bytes) -> Path:
        """Write durably, then drop all but the newest `KEEP`."""
        path = self._directory / f"step-{step:08d}.ckpt"
        write_atomically(path, hashlib.sha256(content).digest() + content)
        for old in self._newest_first()[KEEP:]:
            old.unlink()
        return path

    def newest(self) -> tuple[Path, bytes] | None:
        """The newest intact checkpoint and its content; says which ones it skips."""
        for path in self._newest_first():
            stored = path.read_bytes()
            digest, content = stored[:_DIGEST], stored[_DIGEST:]
            if hashlib.sha256(content).digest() == digest:
                return path, content
            print(f"skipping damaged checkpoint {path}: digest does not match its {len(stored)} bytes", flush=True)
        return None

    def _newest_first(self) -> list[Path]:
        return sorted(self._directory.glob(_PATTERN), reverse=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: readers see the old or the new, also after a power cut."""
    draft = path.with_name(path.name + ".tmp")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""The output directory of a run: checkpoints on the way, weights at the end."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch

from tinylm import group
from tinylm.checkpoint import Checkpoints, write_atomically
from tinylm.failure import Failure
from tinylm.group import Place
from tinylm.trainer import Trainer

WEIGHTS, CONFIG = "model.safetensors", "config.json"


class Output:
    """What rank 0 leaves in the output directory; on other ranks it does nothing."""

    def __init__(self, directory: Path, place: Place) -> None:
        self._directory = directory
        with self._using():
            self._checkpoints = Checkpoints(directory / "checkpoints") if place.rank == 0 else None

    @contextlib.contextmanager
    def _using(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            cause = error.strerror or str(error)
            raise Failure(f"--out {self._directory}: {cause}; it must be a writable directory with space") from error

    def holds(self, identity: dict[str, Any]) -> bool:
        """Whether this very run has been finished here before."""
        weights, config = self._directory / WEIGHTS, self._directory / CONFIG
        if self._checkpoints is None or not weights.exists():
            return False
        with self._using():
            return json.loads(config.read_text())["training"]["identity"] == identity

    def resume(self, trainer: Trainer) -> None:
        """Bring every rank to the newest checkpoint, if there is one."""
        with self._using():
            found = self._checkpoints.newest() if self._checkpoints else None
        content = group.from_master(found[1] if found else None)
        if content is None:
            return
        trainer.load(content)
        if found:
            print(f"resuming at step {trainer.completed}/{trainer.recipe.steps} from {found[0].name}", flush=True)

    def checkpoint(self, trainer: Trainer) -> None:
        """Save the state after the last whole step."""
        if self._checkpoints:
            with self._using():
                self._checkpoints.save(trainer.completed, trainer.dump())

    def finish(self, trainer: Trainer, final_loss: float) -> None:
        """Write what serving needs; the weights last, as they mean that all is there."""
        if self._checkpoints is None:
            return
        losses = {"first_loss": trainer.first_loss, "final_loss": final_loss}
        config = {"model_type": "tinylm", **asdict(trainer.recipe.shape)}
        config["training"] = {"identity": trainer.identity, **losses}
        weights = safetensors.torch.save(trainer.model.state_dict(), {"format": "pt"})
        with self._using():
            write_atomically(self._directory / CONFIG, json.dumps(config, indent=2).encode())
            write_atomically(self._directory / WEIGHTS, weights)
        print(f"wrote {self._directory / WEIGHTS}", flush=True)

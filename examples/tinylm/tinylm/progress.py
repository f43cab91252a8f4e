# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""How a run shows that it advances, and that it was worth it."""

import time
from dataclasses import dataclass

from tinylm import group
from tinylm.failure import Failure
from tinylm.group import Place
from tinylm.trainer import Trainer


@dataclass(frozen=True)
class Rhythm:
    """Every how many steps something happens; nothing of it changes the weights."""

    log: int
    evaluate: int
    checkpoint: int

    def __post_init__(self) -> None:
        if min(self.log, self.evaluate, self.checkpoint) < 1:
            raise Failure("--log-every, --evaluate-every and --checkpoint-every are at least 1")


class Progress:
    """The lines of rank 0 that show a run advance. All ranks call it, for it holds collectives."""

    def __init__(self, trainer: Trainer, rhythm: Rhythm, place: Place) -> None:
        self._trainer, self._rhythm, self._place = trainer, rhythm, place
        self._restart_clock()

    def begin(self) -> None:
        """Before the first step of a run, measure where it starts from."""
        if self._trainer.first_loss is None:
            self._trainer.first_loss = self._trainer.evaluate()
            self._say(f"val {self._trainer.first_loss:.3f}")
        self._restart_clock()

    def step(self, loss: float) -> None:
        """After each step, with this rank's loss on it."""
        self._losses.append(loss)
        steps, done = self._trainer.recipe.steps, self._trainer.completed
        evaluates = done % self._rhythm.evaluate == 0 and done < steps
        if not evaluates and done % self._rhythm.log and done < steps:
            return
        line = f"{self._mean_loss()} {self._speed()}"
        self._say(f"{line} val {self._trainer.evaluate():.3f}" if evaluates else line)
        self._restart_clock()

    def end(self) -> float:
        """After the last step; returns the final held-out loss."""
        final, first = self._trainer.evaluate(), self._trainer.first_loss
        self._say(f"val {final:.3f}, before training {first:.3f}")
        if not final < first:  # also when it is not a number
            raise Failure(f"the held-out loss has not fallen: {first:.3f} before, {final:.3f} after training")
        return final

    def _mean_loss(self) -> str:
        total, count = group.total(sum(self._losses), len(self._losses))
        return f"loss {total / count:.3f}"

    def _speed(self) -> str:
        recipe, seconds = self._trainer.recipe, time.monotonic() - self._since
        return f"tokens/s {len(self._losses) * recipe.batch * recipe.shape.context / seconds:.0f}"

    def _restart_clock(self) -> None:
        self._losses: list[float] = []
        self._since = time.monotonic()

    def _say(self, line: str) -> None:
        if self._place.rank == 0:
            print(f"step {self._trainer.completed}/{self._trainer.recipe.steps} {line}", flush=True)

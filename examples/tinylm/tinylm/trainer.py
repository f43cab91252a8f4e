# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""The state of a run and its one step, the same on every rank."""

import io
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinylm import data, group
from tinylm.failure import Failure
from tinylm.group import Place
from tinylm.model import VOCABULARY, Shape, TinyLM

EVALUATION_WINDOWS = 128


@dataclass(frozen=True)
class Recipe:
    """Everything beside the text that the trained weights depend on.

    Two runs with one recipe and one text are the same run: a checkpoint of one
    continues the other.
    """

    shape: Shape
    steps: int
    batch: int  # windows per step, over all ranks
    rate: float  # peak learning rate
    seed: int

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.rate <= 0 or self.seed < 0:
            raise Failure("steps and batch are at least 1, the rate is above 0, the seed not negative")

    def identity(self, text: data.Text) -> dict[str, Any]:
        """What makes a run this run."""
        return {**asdict(self), "text": text.digest()}


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up over a twentieth of the run, then a cosine down to a twentieth of the peak."""
    warm = max(1, recipe.steps // 20)
    if step < warm:
        return recipe.rate * (step + 1) / warm
    progress = (step - warm) / max(1, recipe.steps - warm)
    return recipe.rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))


def adamw(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """AdamW that decays matrices only."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=True)


class Trainer:
    """A run on one rank of a formed group. Between steps, every rank holds the same state."""

    def __init__(self, recipe: Recipe, text: data.Text, place: Place) -> None:
        self.identity = recipe.identity(text)
        self._check(place)
        self.recipe, self._text, self._place = recipe, text, place
        torch.manual_seed(recipe.seed)
        self.model = TinyLM(recipe.shape)
        self._replica = nn.parallel.DistributedDataParallel(self.model, gradient_as_bucket_view=True)
        self._optimizer = adamw(self.model, recipe.rate)
        self.completed = 0  # steps
        self.first_loss: float | None = None  # held-out, before the first step

    def _check(self, place: Place) -> None:
        """Ranks that train different things would otherwise hang or average nonsense."""
        master = group.from_master(self.identity)
        if master != self.identity:
            raise Failure(f"options differ from rank 0's: {difference(master, self.identity)}; give all the same")
        if self.identity["batch"] % place.world:
            raise Failure(f"--batch {self.identity['batch']} does not divide by the {place.world} ranks")

    def step(self) -> float:
        """Train on this rank's share of the next batch; returns the loss on it."""
        recipe, text = self.recipe, self._text.train
        starts = data.sample(text, recipe.shape.context, recipe.batch, recipe.seed, self.completed)
        loss = self._loss(self._replica, text, self._mine(starts))
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for parameters in self._optimizer.param_groups:
            parameters["lr"] = learning_rate(recipe, self.completed)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.completed += 1
        return loss.item()

    @torch.no_grad()
    def evaluate(self) -> float:
        """Held-out loss in nats per byte, over all ranks."""
        text = self._text.held_out
        mine = self._mine(data.spread(text, self.recipe.shape.context, max(EVALUATION_WINDOWS, self._place.world)))
        loss, count = group.total(self._loss(self.model, text, mine).item() * len(mine), len(mine))
        return loss / count

    def _mine(self, starts: np.ndarray) -> np.ndarray:
        return data.share(starts, self._place.rank, self._place.world)

    def _loss(self, network: nn.Module, text: np.ndarray, starts: np.ndarray) -> Tensor:
        inputs, targets = data.windows(text, starts, self.recipe.shape.context)
        return F.cross_entropy(network(inputs).view(-1, VOCABULARY), targets.reshape(-1))

    def dump(self) -> bytes:
        """The state after the last whole step; valid also when a later step failed halfway."""
        box = io.BytesIO()
        state = {
            "identity": self.identity,
            "completed": self.completed,
            "first_loss": self.first_loss,
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "random": torch.get_rng_state(),
        }
        torch.save(state, box)
        return box.getvalue()

    def load(self, content: bytes) -> None:
        """Continue from a dump of the same recipe and text."""
        state = torch.load(io.BytesIO(content), weights_only=True)
        if state["identity"] != self.identity:
            raise Failure(
                f"the checkpoint is of another run: {difference(state['identity'], self.identity)}; "
                "repeat its options or give an empty --out"
            )
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        self.completed, self.first_loss = state["completed"], state["first_loss"]


def difference(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """What differs between two identities, for a message."""
    return ", ".join(f"{key} was {theirs.get(key)}, is {ours[key]}" for key in ours if theirs.get(key) != ours[key])

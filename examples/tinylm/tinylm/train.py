# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""Train on some text, data-parallel, and survive the loss of any worker.

Run one process per rank with RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT set,
as PyTorchJob sets them; only rank 0 needs the output directory. A rank that
loses a peer saves what it can and ends at once; when it is started again, the
group forms anew and every rank continues from rank 0's newest checkpoint.

Exit codes: 0 trained; 1 or 2 what no restart cures, such as a wrong option or a
loss that did not fall; 138 a peer was lost (retryable for every restart policy
of Kubeflow's jobs); 143 terminated.
"""

import argparse
import os
import sys
import traceback
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from tinylm import data, group
from tinylm.failure import Failure, Terminated
from tinylm.group import Place
from tinylm.model import Shape
from tinylm.output import Output
from tinylm.progress import Progress, Rhythm
from tinylm.termination import Termination
from tinylm.trainer import Recipe, Trainer


def train(trainer: Trainer, output: Output, rhythm: Rhythm, progress: Progress, stop: Termination) -> None:
    """Take all steps that are left. However it ends, the last whole step is saved."""
    while trainer.completed < trainer.recipe.steps:
        try:
            progress.step(trainer.step())
        except RuntimeError:
            output.checkpoint(trainer)
            raise
        if stop.requested.is_set():
            output.checkpoint(trainer)
            raise Terminated(f"terminated after step {trainer.completed}")
        if trainer.completed % rhythm.checkpoint == 0 or trainer.completed == trainer.recipe.steps:
            output.checkpoint(trainer)


def run(options: argparse.Namespace, stop: Termination) -> None:
    """The whole run of one rank."""
    place = Place.from_environment(os.environ)
    shape = Shape(options.layers, options.dim, options.heads, options.context)
    recipe = Recipe(shape, options.steps, options.batch, options.rate, options.seed)
    rhythm = Rhythm(options.log_every, options.evaluate_every, options.checkpoint_every)
    text, output = data.Text(options.data, shape.context), Output(options.out, place)
    if output.holds(recipe.identity(text)):
        print(f"{options.out} already holds the result of this run", flush=True)
        return
    group.form(place, stop, timedelta(seconds=options.patience))
    with group.watched():
        trainer = Trainer(recipe, text, place)
        output.resume(trainer)
        progress = Progress(trainer, rhythm, place)
        progress.begin()
        with stop.deferred():
            train(trainer, output, rhythm, progress, stop)
        output.finish(trainer, progress.end())
        dist.barrier()


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python3 -m tinylm.train", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, default=Path("/app/data/kjv.bin"), help="text to train on, read as bytes")
    add("--out", type=Path, default=Path("/out"), help="directory for checkpoints and weights, used by rank 0")
    add("--steps", type=int, default=800)
    add("--batch", type=int, default=16, help="windows of text per step, over all ranks")
    add("--rate", type=float, default=4e-3, help="peak learning rate")
    add("--seed", type=int, default=1)
    for name, default in asdict(Shape()).items():
        add(f"--{name}", type=int, default=default)
    add("--log-every", type=int, default=20, metavar="STEPS")
    add("--evaluate-every", type=int, default=100, metavar="STEPS")
    add("--checkpoint-every", type=int, default=50, metavar="STEPS")
    add("--patience", type=float, default=600, metavar="SECONDS", help="how long to wait for the other ranks")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run; returns the exit code, after one line on why it is not 0."""
    stop = Termination()
    options = parse(arguments)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    try:
        run(options, stop)
    except Failure as failure:
        print(f"rank {os.environ.get('RANK', '0')}: {failure}", file=sys.stderr, flush=True)
        return Terminated.exit_code if stop.requested.is_set() else failure.exit_code
    return 0


if __name__ == "__main__":
    try:
        code = main()
    except Exception:
        traceback.print_exc()
        code = Failure.exit_code
    # Threads of a broken process group would keep a normal exit waiting.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

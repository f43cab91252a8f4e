# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""A run is a function of its recipe and text, however often it is interrupted."""

import contextlib
import dataclasses
import errno
import io
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import torch
import torch.distributed as dist

from tinylm import data
from tinylm.failure import Failure
from tinylm.group import Place
from tinylm.model import Shape
from tinylm.output import WEIGHTS, Output
from tinylm.progress import Progress, Rhythm
from tinylm.trainer import Recipe, Trainer, learning_rate

RECIPE = Recipe(Shape(layers=1, dim=16, heads=2, context=16), steps=12, batch=4, rate=1e-2, seed=3)
ALONE = Place(rank=0, world=1, host="", port=0, keeps_store=True)


class TrainerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
        cls.addClassCleanup(dist.destroy_process_group)

    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        path = self.directory / "text"
        path.write_bytes(b"the quick brown fox jumps over the lazy dog\n" * 100)
        self.text = data.Text(path, RECIPE.shape.context)

    def trainer(self, **changes: object) -> Trainer:
        return Trainer(dataclasses.replace(RECIPE, **changes), self.text, ALONE)

    def test_resumed_equals_uninterrupted(self) -> None:
        whole, first = self.trainer(), self.trainer()
        losses = [whole.step() for _ in range(12)]
        head = [first.step() for _ in range(5)]
        second = self.trainer()
        second.load(first.dump())
        tail = [second.step() for _ in range(7)]
        self.assertEqual(head + tail, losses)
        torch.testing.assert_close(second.model.state_dict(), whole.model.state_dict(), rtol=0, atol=0)
        self.assertLess(losses[-1], losses[0])

    def test_a_step_that_fails_halfway_is_not_saved(self) -> None:
        whole, broken = self.trainer(), self.trainer()
        whole.step(), broken.step()
        with mock.patch("torch.nn.utils.clip_grad_norm_", side_effect=RuntimeError("Connection closed by peer")):
            self.assertRaises(RuntimeError, broken.step)
        resumed = self.trainer()
        resumed.load(broken.dump())
        self.assertEqual([resumed.step() for _ in range(3)], [whole.step() for _ in range(3)])

    def test_evaluation_changes_nothing(self) -> None:
        trainer = self.trainer()
        self.assertEqual(trainer.evaluate(), trainer.evaluate())
        self.assertEqual(trainer.step(), self.trainer().step())

    def test_checkpoint_of_another_run_is_refused(self) -> None:
        trainer = self.trainer()
        with self.assertRaisesRegex(Failure, "steps was 99, is 12; repeat its options or give an empty --out"):
            trainer.load(self.trainer(steps=99).dump())

    def test_output_resumes_and_knows_a_finished_run(self) -> None:
        trainer, output = self.trainer(), Output(self.directory / "out", ALONE)
        self.assertFalse(output.holds(trainer.identity))
        trainer.step()
        output.checkpoint(trainer)
        resumed = self.trainer()
        with contextlib.redirect_stdout(io.StringIO()) as said:
            output.resume(resumed)
            output.finish(resumed, 1.0)
        self.assertEqual(resumed.completed, 1)
        self.assertIn("resuming at step 1/12 from step-00000001.ckpt", said.getvalue())
        self.assertTrue(output.holds(trainer.identity))
        self.assertFalse(output.holds(self.trainer(seed=4).identity))
        self.assertTrue((self.directory / "out" / WEIGHTS).exists())

    def test_damaged_checkpoint_costs_steps_not_the_run(self) -> None:
        trainer, output, resumed = self.trainer(), Output(self.directory / "out", ALONE), self.trainer()
        for _ in range(3):
            trainer.step()
            output.checkpoint(trainer)
        newest = self.directory / "out" / "checkpoints" / "step-00000003.ckpt"
        newest.write_bytes(newest.read_bytes()[:-1])
        with contextlib.redirect_stdout(io.StringIO()) as said:
            output.resume(resumed)
        self.assertRegex(said.getvalue(), "^skipping damaged .*03.ckpt.*\nresuming at step 2/12 from .*02.ckpt\n$")
        self.assertEqual(resumed.completed, 2)

    def test_output_that_cannot_be_written_fails_with_a_line(self) -> None:
        (self.directory / "file").touch()
        with self.assertRaisesRegex(Failure, "--out .*/file: Not a directory; it must be a writable directory"):
            Output(self.directory / "file", ALONE)
        output = Output(self.directory / "out", ALONE)
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with (
            mock.patch("os.fsync", side_effect=full),
            self.assertRaisesRegex(Failure, "--out .*/out: No space left on device; .* with space"),
        ):
            output.checkpoint(self.trainer())

    def test_weights_without_their_config_fail_with_a_line(self) -> None:
        output = Output(self.directory / "out", ALONE)
        (self.directory / "out" / WEIGHTS).touch()
        with self.assertRaisesRegex(Failure, "--out .*/out: No such file or directory; it must be"):
            output.holds(self.trainer().identity)

    def test_a_loss_that_has_not_fallen_fails_the_run(self) -> None:
        trainer = self.trainer()
        progress = Progress(trainer, Rhythm(5, 5, 5), ALONE)
        with contextlib.redirect_stdout(io.StringIO()):
            progress.begin()
            for final in (trainer.first_loss, float("nan")):
                with mock.patch.object(trainer, "evaluate", return_value=final):
                    self.assertRaisesRegex(Failure, "has not fallen: [0-9.]+ before", progress.end)

    def test_progress_lines(self) -> None:
        trainer = self.trainer()
        progress = Progress(trainer, Rhythm(log=4, evaluate=6, checkpoint=5), ALONE)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            progress.begin()
            while trainer.completed < 12:
                progress.step(trainer.step())
            progress.end()
        number = r"\d+(\.\d+)?"
        for line, (step, pattern) in zip(
            said.getvalue().splitlines(),
            [
                (0, f"val {number}"),
                (4, f"loss {number} tokens/s {number}"),
                (6, f"loss {number} tokens/s {number} val {number}"),
                (8, f"loss {number} tokens/s {number}"),
                (12, f"loss {number} tokens/s {number}"),
                (12, f"val {number}, before training {number}"),
            ],
            strict=True,
        ):
            self.assertRegex(line, f"^step {step}/12 {pattern}$")

    def test_batch_must_divide(self) -> None:
        with self.assertRaisesRegex(Failure, "--batch 4 does not divide by the 3 ranks"):
            Trainer(RECIPE, self.text, dataclasses.replace(ALONE, world=3))


class ScheduleTest(unittest.TestCase):
    def test_learning_rate(self) -> None:
        recipe = dataclasses.replace(RECIPE, steps=100, rate=1.0)
        rates = [learning_rate(recipe, step) for step in range(100)]
        self.assertEqual(rates[:5], [0.2, 0.4, 0.6, 0.8, 1.0])
        self.assertEqual(rates[5:], sorted(rates[5:], reverse=True))
        self.assertAlmostEqual(rates[-1], 0.05, places=3)

    def test_shortest_run(self) -> None:
        self.assertEqual(learning_rate(dataclasses.replace(RECIPE, steps=1), 0), RECIPE.rate)


class PlaceTest(unittest.TestCase):
    def test_environment(self) -> None:
        pytorchjob = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "job-master-0", "MASTER_PORT": "23456"}
        agent = {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "3"}
        torchrun = {**pytorchjob, **agent, "RANK": "0"}
        for environment, expected in [
            ({}, Place(0, 1, "", 23456, True)),
            (pytorchjob, Place(1, 2, "job-master-0", 23456, False)),
            ({**pytorchjob, "RANK": "0"}, Place(0, 2, "job-master-0", 23456, True)),
            (torchrun, Place(0, 2, "job-master-0", 23456, False, attempt=3)),
        ]:
            with self.subTest(environment):
                self.assertEqual(Place.from_environment(environment), expected)

    def test_refusals(self) -> None:
        for environment, expected in [
            ({"RANK": "x"}, "RANK='x' is not a number"),
            ({"RANK": "2", "WORLD_SIZE": "2"}, "the rank is from 0 to 1"),
            ({"RANK": "-1"}, "the rank is from 0 to 0"),
            ({"WORLD_SIZE": "2"}, "MASTER_ADDR is not set"),
        ]:
            with self.subTest(environment), self.assertRaisesRegex(Failure, expected):
                Place.from_environment(environment)


if __name__ == "__main__":
    unittest.main()

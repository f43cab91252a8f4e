# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""The text is split once and sampled reproducibly."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

from tinylm import data
from tinylm.failure import Failure


class TextTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name) / "text"

    def test_holds_out_the_end(self) -> None:
        self.path.write_bytes(bytes(range(200)) * 10)
        text = data.Text(self.path, context=16)
        self.assertEqual(len(text.held_out), 100)
        self.assertEqual(bytes(text.train) + bytes(text.held_out), self.path.read_bytes())

    def test_digest_tells_texts_apart(self) -> None:
        self.path.write_bytes(b"a" * 1000)
        first = data.Text(self.path, context=8).digest()
        self.path.write_bytes(b"b" * 1000)
        self.assertNotEqual(first, data.Text(self.path, context=8).digest())

    def test_refuses_what_cannot_be_used(self) -> None:
        for content, expected in [
            (None, "No such file.*--data"),
            (b"", "empty.*--data"),
            (b"short", "5 bytes are too few; a context of 16 needs 360"),
        ]:
            with self.subTest(content):
                self.path.unlink(missing_ok=True)
                if content is not None:
                    self.path.write_bytes(content)
                with self.assertRaisesRegex(Failure, expected):
                    data.Text(self.path, context=16)

    def test_the_least_text_that_is_named_is_enough(self) -> None:
        self.path.write_bytes(b"x" * 360)
        text = data.Text(self.path, context=16)
        data.windows(text.held_out, data.spread(text.held_out, 16, 4), 16)
        data.windows(text.held_out, data.sample(text.held_out, 16, 4, seed=1, step=0), 16)


class SamplingTest(unittest.TestCase):
    text = np.arange(256, dtype=np.uint8).repeat(4)

    def test_depends_on_seed_and_step_only(self) -> None:
        first = data.sample(self.text, 8, 64, seed=1, step=7)
        np.testing.assert_array_equal(first, data.sample(self.text, 8, 64, seed=1, step=7))
        self.assertFalse(np.array_equal(first, data.sample(self.text, 8, 64, seed=1, step=8)))
        self.assertFalse(np.array_equal(first, data.sample(self.text, 8, 64, seed=2, step=7)))

    def test_ranks_share_out_one_batch(self) -> None:
        starts = data.sample(self.text, 8, 12, seed=1, step=0)
        for world in (1, 2, 3, 4):
            shares = [data.share(starts, rank, world) for rank in range(world)]
            self.assertEqual(sorted(np.concatenate(shares)), sorted(starts))
            self.assertEqual({len(share) for share in shares}, {12 // world})

    def test_every_window_fits(self) -> None:
        for starts in (data.sample(self.text, 1000, 500, seed=3, step=0), data.spread(self.text, 1000, 50)):
            self.assertGreaterEqual(starts.min(), 0)
            self.assertLess(starts.max() + 1000, len(self.text))

    def test_targets_are_the_inputs_one_byte_later(self) -> None:
        inputs, targets = data.windows(np.arange(50, dtype=np.uint8), np.array([0, 10]), 5)
        self.assertEqual(inputs.tolist(), [[0, 1, 2, 3, 4], [10, 11, 12, 13, 14]])
        self.assertEqual(targets.tolist(), [[1, 2, 3, 4, 5], [11, 12, 13, 14, 15]])


if __name__ == "__main__":
    unittest.main()

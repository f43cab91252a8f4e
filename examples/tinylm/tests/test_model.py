# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""The network sees the past only, and its cache changes nothing."""

import unittest

import torch

from tinylm.failure import Failure
from tinylm.model import Cache, Shape, TinyLM

SHAPE = Shape(layers=2, dim=16, heads=2, context=12)


class ModelTest(unittest.TestCase):
    def setUp(self) -> None:
        torch.manual_seed(0)
        self.model = TinyLM(SHAPE).eval()
        self.tokens = torch.randint(0, 256, (1, SHAPE.context))

    @torch.no_grad()
    def test_later_tokens_do_not_change_earlier_logits(self) -> None:
        changed = self.tokens.clone()
        changed[0, 7:] = 0
        torch.testing.assert_close(self.model(self.tokens)[:, :7], self.model(changed)[:, :7])

    @torch.no_grad()
    def test_cache_gives_the_same_logits(self) -> None:
        whole = self.model(self.tokens)
        for prefill in (1, 5, SHAPE.context):
            with self.subTest(prefill=prefill):
                cache = Cache(SHAPE)
                parts = [self.model(self.tokens[:, :prefill], cache)]
                parts += [self.model(self.tokens[:, at : at + 1], cache) for at in range(prefill, SHAPE.context)]
                torch.testing.assert_close(torch.cat(parts, dim=1), whole)

    def test_output_is_tied_to_the_embedding(self) -> None:
        names = dict(self.model.named_parameters())
        self.assertEqual(sum(parameter.shape[0] == 256 for parameter in names.values()), 1)

    def test_refuses_impossible_shapes(self) -> None:
        for change in ({"layers": 0}, {"dim": 18, "heads": 4}, {"dim": 12, "heads": 4}, {"context": 0}):
            with self.subTest(change), self.assertRaisesRegex(Failure, "dim a multiple of twice heads"):
                Shape(**change)


if __name__ == "__main__":
    unittest.main()

# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""Bytes are chosen as asked, and become text only when they are certain."""

import itertools
import unittest

import torch

from tinylm.generate import Generator, Sampling, Transcript, choose
from tinylm.model import Shape, TinyLM

SHAPE = Shape(layers=1, dim=16, heads=2, context=8)


class GeneratorTest(unittest.TestCase):
    def setUp(self) -> None:
        torch.manual_seed(0)
        self.generate = Generator(TinyLM(SHAPE).eval())

    def take(self, prompt: bytes, count: int, **sampling: object) -> list[int]:
        return list(itertools.islice(self.generate(prompt, Sampling(**sampling)), count))

    def test_seed_decides(self) -> None:
        self.assertEqual(self.take(b"abc", 30, seed=7), self.take(b"abc", 30, seed=7))
        self.assertNotEqual(self.take(b"abc", 30, seed=7), self.take(b"abc", 30, seed=8))
        self.assertNotEqual(self.take(b"abc", 30), self.take(b"abc", 30))

    def test_goes_on_beyond_the_window(self) -> None:
        for length in range(0, 3 * SHAPE.context):
            self.assertEqual(len(self.take(b"x" * length, 3 * SHAPE.context)), 3 * SHAPE.context)

    def test_only_the_window_matters(self) -> None:
        short = self.take(b"wxyz", 3, temperature=0)
        self.assertEqual(self.take(b"something else entirely wxyz", 3, temperature=0), short)

    def test_smallest_context(self) -> None:
        generate = Generator(TinyLM(Shape(layers=1, dim=16, heads=2, context=1)))
        self.assertEqual(len(list(itertools.islice(generate(b"abc", Sampling()), 5))), 5)


class ChooseTest(unittest.TestCase):
    logits = torch.tensor([0.5, 0.3, 0.2]).log()

    def drawn(self, **sampling: float) -> set[int]:
        source = torch.Generator().manual_seed(0)
        return {choose(self.logits, Sampling(**sampling), source) for _ in range(200)}

    def test_sampling(self) -> None:
        for sampling, expected in [
            ({"temperature": 1}, {0, 1, 2}),
            ({"temperature": 0}, {0}),
            ({"temperature": 0.01}, {0}),
            ({"temperature": 1, "top_p": 0}, {0}),
            ({"temperature": 1, "top_p": 0.4}, {0}),
            ({"temperature": 1, "top_p": 0.6}, {0, 1}),
            ({"temperature": 1, "top_p": 0.9}, {0, 1, 2}),
        ]:
            with self.subTest(sampling):
                self.assertEqual(self.drawn(**sampling), expected)


class TranscriptTest(unittest.TestCase):
    def pieces(self, content: bytes, *stop: str) -> tuple[list[str], bool]:
        transcript = Transcript(stop)
        pieces = []
        for token in content:
            pieces.append(transcript.push(token))
            if transcript.stopped:
                break
        return [*pieces, transcript.finish()], transcript.stopped

    def test_characters_appear_whole(self) -> None:
        pieces, _ = self.pieces("aé€😀".encode())
        self.assertEqual(pieces, ["a", "", "é", "", "", "€", "", "", "", "😀", ""])

    def test_what_is_not_text_is_replaced(self) -> None:
        for content, expected in [(b"a\xffb", "a\ufffdb"), (b"a\xe2\x82", "a\ufffd"), (b"\xe2a", "\ufffda")]:
            with self.subTest(content):
                self.assertEqual("".join(self.pieces(content)[0]), expected)

    def test_stop_strings_are_not_shown(self) -> None:
        for content, stop, expected, stopped in [
            ("one two three", ["two"], "one ", True),
            ("one two three", ["four"], "one two three", False),
            ("one tw", ["two"], "one tw", False),
            ("aaab", ["aab"], "a", True),
            ("ababac", ["abac"], "ab", True),
            ("xyz", ["z", "yz"], "x", True),
            ("end\n\nmore", ["\n\n"], "end", True),
            ("5 €uro", ["€u"], "5 ", True),
            ("stop", ["stop"], "", True),
        ]:
            with self.subTest(content=content, stop=stop):
                pieces, seen = self.pieces(content.encode(), *stop)
                self.assertEqual(("".join(pieces), seen), (expected, stopped))

    def test_nothing_is_held_back_without_need(self) -> None:
        pieces, _ = self.pieces(b"tent", "ten pins")
        self.assertEqual(pieces, ["", "", "", "ten", "t"])


if __name__ == "__main__":
    unittest.main()

# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""Requests are checked parameter by parameter."""

import json
import random
import unittest
from typing import Any

from tinylm.generate import Sampling
from tinylm.protocol import ApiError, Request

PROMPT: dict[str, Any] = {"model": "tinylm", "prompt": "And"}
CHAT: dict[str, Any] = {"model": "tinylm", "messages": [{"role": "user", "content": "And"}]}


def parse(body: Any, chat: bool = False) -> Request:
    return Request.parse(body, chat, "tinylm")


class AcceptedTest(unittest.TestCase):
    def test_defaults(self) -> None:
        request = parse(PROMPT)
        self.assertEqual((request.prompt, request.sampling), (b"And", Sampling()))
        self.assertEqual((request.stream, request.include_usage), (False, False))

    def test_sampling(self) -> None:
        for given, expected in [
            ({"max_tokens": 5}, {"max_tokens": 5}),
            ({"max_completion_tokens": 6, "max_tokens": 5}, {"max_tokens": 6}),
            ({"temperature": 0, "top_p": 1}, {"temperature": 0, "top_p": 1}),
            ({"temperature": 0.5, "top_p": 0.5, "seed": -1}, {"temperature": 0.5, "top_p": 0.5, "seed": -1}),
            ({"stop": "a"}, {"stop": ("a",)}),
            ({"stop": ["a", "b"]}, {"stop": ("a", "b")}),
            ({"stop": None, "seed": None, "temperature": None, "max_tokens": None}, {}),
        ]:
            with self.subTest(given):
                self.assertEqual(parse({**PROMPT, **given}).sampling, Sampling(**expected))

    def test_prompts(self) -> None:
        for prompt, expected in [("", b""), (["And"], b"And"), ("é", "é".encode()), ("\ud800", b"?")]:
            with self.subTest(prompt):
                self.assertEqual(parse({**PROMPT, "prompt": prompt}).prompt, expected)

    def test_conversations_are_lines(self) -> None:
        parts = [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]
        messages = [{"role": "system", "content": "a"}, {"role": "user", "content": parts}]
        self.assertEqual(parse({**CHAT, "messages": messages}, chat=True).prompt, b"a\ncd")

    def test_name_may_be_qualified(self) -> None:
        self.assertEqual(parse({**PROMPT, "model": "team-a/tinylm"}).model, "team-a/tinylm")

    def test_unknown_and_neutral_parameters_are_ignored(self) -> None:
        neutral = {"n": 1, "echo": False, "logprobs": None, "tools": [], "presence_penalty": 0, "user": "me"}
        parse({**PROMPT, **neutral, "response_format": {"type": "text"}, "stream_options": None})


class RefusedTest(unittest.TestCase):
    def check(self, body: Any, chat: bool, status: int, param: str | None) -> None:
        with self.subTest(body), self.assertRaises(ApiError) as caught:
            parse(body, chat)
        error = caught.exception
        self.assertEqual((error.status, error.param), (status, param))
        self.assertEqual(error.body()["error"]["type"], "invalid_request_error")

    def test_parameters(self) -> None:
        for name, values in {
            "max_tokens": [0, -1, 4097, 1.5, "5", True, []],
            "temperature": [-0.1, 2.1, "hot", True, float("nan"), float("inf")],
            "top_p": [-0.1, 1.1],
            "seed": [1.5, "x", 2**63],
            "stop": ["", [""], ["a"] * 5, [1], 5, {}],
            "stream": ["yes", 1],
            "stream_options": [[1], "x"],
            "n": [2, 0],
            "logprobs": [True, 3],
            "tools": [[{}]],
            "presence_penalty": [0.5],
            "response_format": [{"type": "json_object"}],
        }.items():
            for value in values:
                self.check({**PROMPT, name: value}, False, 400, name)

    def test_bodies(self) -> None:
        for body in (None, [], "x", 5):
            self.check(body, False, 400, None)

    def test_models(self) -> None:
        for model, status in [(None, 400), ("", 400), (5, 400), ("other", 404), ("tinylm/other", 404)]:
            self.check({**PROMPT, "model": model}, False, status, "model")

    def test_prompts(self) -> None:
        for prompt in (None, 5, [], ["a", "b"], [1, 2]):
            self.check({**PROMPT, "prompt": prompt}, False, 400, "prompt")

    def test_messages(self) -> None:
        for messages in (None, [], "x", {}):
            self.check({**CHAT, "messages": messages}, True, 400, "messages")
        for content in (None, 5, [{"type": "image_url"}], ["x"], [{"type": "text", "text": 5}]):
            messages = [{"role": "user", "content": content}]
            self.check({**CHAT, "messages": messages}, True, 400, "messages[0].content")


class FuzzTest(unittest.TestCase):
    def test_any_json_is_accepted_or_refused(self) -> None:
        source = random.Random(0)
        names = "model prompt messages max_tokens temperature top_p seed stop stream stream_options n logprobs".split()
        values = [None, True, 0, 1, -1.5, 10**30, "", "tinylm", "\ud800", [], [1], ["a"], [{}], {}, {"content": [{}]}]
        for _ in range(20_000):
            chat = source.random() < 0.5
            changes = {source.choice(names): source.choice(values) for _ in range(source.randint(0, 4))}
            try:
                request = parse({**(CHAT if chat else PROMPT), **changes}, chat)
            except ApiError as error:
                json.dumps(error.body())
            else:
                json.dumps(request.answer("text", "stop", {}))


if __name__ == "__main__":
    unittest.main()

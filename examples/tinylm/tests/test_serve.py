# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""The server as clients see it, with a scripted generator where its content matters."""

import contextlib
import http.client
import io
import itertools
import json
import socket
import tempfile
import threading
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from tinylm import serve
from tinylm.failure import Failure
from tinylm.generate import Generator, Sampling
from tinylm.handler import MAX_BODY, Server, Service
from tinylm.model import Shape, TinyLM

ANSWER = "ééé€😀. The end"


class Script:
    """Says the same each time, over and over, and tells when it is no longer asked to."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def __call__(self, prompt: bytes, sampling: Sampling) -> Iterator[int]:
        try:
            yield from itertools.cycle(ANSWER.encode())
        finally:
            self.closed.set()


class ServerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.script = Script()
        self.service = Service("tinylm", self.script)
        self.server = self.enterContext(Server(("127.0.0.1", 0), self.service))
        thread = threading.Thread(target=self.server.serve_forever, args=[0.01])
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)
        self.enterContext(contextlib.redirect_stderr(io.StringIO()))
        self.client = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        self.addCleanup(self.client.close)

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self.client.request(method, path, content)
        response = self.client.getresponse()
        return response.status, json.loads(response.read())

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        return self.request("POST", path, {"model": "tinylm", **body})

    def events(self, path: str, **body: Any) -> list[Any]:
        """The events of a stream, without its end, which must be there."""
        self.client.request("POST", path, json.dumps({"model": "tinylm", "stream": True, **body}))
        response = self.client.getresponse()
        self.assertEqual(response.getheader("Content-Type"), "text/event-stream; charset=utf-8")
        *events, end, rest = response.read().decode().split("\n\n")
        self.assertEqual((end, rest), ("data: [DONE]", ""))
        return [json.loads(event.removeprefix("data: ")) for event in events]


class AnswersTest(ServerTest):
    def test_health_and_models(self) -> None:
        self.assertEqual(self.request("GET", "/health"), (200, {"status": "ok"}))
        status, models = self.request("GET", "/v1/models")
        self.assertEqual((status, [model["id"] for model in models["data"]]), (200, ["tinylm"]))
        self.assertEqual(self.request("GET", "/v1/models/tinylm?x=y"), (200, models["data"][0]))

    def test_completion(self) -> None:
        status, answer = self.post("/v1/completions", prompt="And", max_tokens=6)
        self.assertEqual((status, answer["object"]), (200, "text_completion"))
        expected = {"index": 0, "text": "ééé", "logprobs": None, "finish_reason": "length"}
        self.assertEqual(answer["choices"], [expected])
        self.assertEqual(answer["usage"], {"prompt_tokens": 3, "completion_tokens": 6, "total_tokens": 9})
        self.assertTrue(answer["id"].startswith("cmpl-"))

    def test_chat(self) -> None:
        messages = [{"role": "user", "content": "And"}]
        status, answer = self.post("/v1/chat/completions", messages=messages, stop=". ")
        self.assertEqual((status, answer["object"]), (200, "chat.completion"))
        self.assertEqual(answer["choices"][0]["message"], {"role": "assistant", "content": "ééé€😀"})
        self.assertEqual(answer["choices"][0]["finish_reason"], "stop")

    def test_streamed_completion(self) -> None:
        events = self.events("/v1/completions", prompt="And", max_tokens=14)
        self.assertEqual([event["choices"][0]["text"] for event in events], [*"ééé€😀.", ""])
        reasons = [event["choices"][0]["finish_reason"] for event in events]
        self.assertEqual(reasons, [None] * 6 + ["length"])
        self.assertNotIn("usage", events[0])

    def test_streamed_chat_with_usage(self) -> None:
        events = self.events(
            "/v1/chat/completions",
            messages=[{"role": "user", "content": "And"}],
            stop=[". The end"],
            stream_options={"include_usage": True},
        )
        *pieces, accounting = events
        deltas = [event["choices"][0]["delta"] for event in pieces]
        self.assertEqual(deltas[0], {"role": "assistant", "content": ""})
        self.assertEqual("".join(delta.get("content", "") for delta in deltas), "ééé€😀")
        self.assertEqual(pieces[-1]["choices"][0]["finish_reason"], "stop")
        self.assertEqual({event["usage"] for event in pieces}, {None})
        self.assertEqual(accounting["choices"], [])
        self.assertEqual(accounting["usage"]["completion_tokens"], len(ANSWER.encode()))
        self.assertEqual({event["object"] for event in events}, {"chat.completion.chunk"})
        self.assertEqual(len({event["id"] for event in events}), 1)

    def test_connection_is_used_again(self) -> None:
        self.events("/v1/completions", prompt="And", max_tokens=3)
        first = self.client.sock
        self.post("/v1/completions", prompt="And", max_tokens=3)
        self.post("/v1/completions", prompt=5)
        self.request("GET", "/health")
        self.assertIs(self.client.sock, first)

    def test_http_1_0_stream_ends_with_the_connection(self) -> None:
        body = json.dumps({"model": "tinylm", "prompt": "And", "stream": True, "max_tokens": 2})
        head = f"POST /v1/completions HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(self.server.server_address[:2], timeout=10) as connection:
            connection.sendall((head + body).encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        self.assertNotIn(b"chunked", answer)
        self.assertTrue(answer.endswith(b"data: [DONE]\n\n"))


class RefusalsTest(ServerTest):
    def test_refusals(self) -> None:
        body = {"model": "tinylm", "prompt": "And"}
        for method, path, content, status, code in [
            ("GET", "/", None, 404, None),
            ("GET", "/v1/models/other", None, 404, None),
            ("POST", "/v1/embeddings", body, 404, None),
            ("POST", "/v1/completions", b"{", 400, None),
            ("POST", "/v1/completions", b"\xff", 400, None),
            ("POST", "/v1/completions", b"[" * 100_000, 400, None),
            ("POST", "/v1/completions", {**body, "model": "other"}, 404, "model_not_found"),
            ("POST", "/v1/completions", {**body, "max_tokens": 0}, 400, None),
            ("POST", "/v1/completions", None, 400, None),
            ("DELETE", "/v1/models/tinylm", None, 501, None),
        ]:
            with self.subTest(f"{method} {path}"):
                seen, answer = self.request(method, path, content)
                self.assertEqual((seen, answer["error"]["code"]), (status, code))
                self.assertEqual(set(answer["error"]), {"message", "type", "param", "code"})

    def test_bodies_without_an_acceptable_length(self) -> None:
        for length, status in [("x", 411), ("-1", 411), (str(MAX_BODY + 1), 413)]:
            with self.subTest(length):
                self.client.putrequest("POST", "/v1/completions")
                self.client.putheader("Content-Length", length)
                self.client.endheaders()
                response = self.client.getresponse()
                self.assertEqual((response.status, response.getheader("Connection")), (status, "close"))
                response.read()


class LeavingTest(ServerTest):
    def leave(self, stream: bool) -> None:
        body = {"model": "tinylm", "prompt": "And", "stream": stream, "max_tokens": 4096, "stop": "never said"}
        self.client.request("POST", "/v1/completions", json.dumps(body))
        if stream:
            self.client.getresponse().read(20)
        self.client.close()
        self.assertTrue(self.script.closed.wait(10))
        self.assertTrue(self.service.drain(10))

    def test_streaming_stops(self) -> None:
        self.leave(stream=True)

    def test_generating_stops(self) -> None:
        self.leave(stream=False)

    def test_drain_waits_for_answers(self) -> None:
        with self.service.answering():
            self.assertFalse(self.service.drain(0))
        self.assertTrue(self.service.drain(0))


class LoadTest(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.shape = Shape(layers=1, dim=16, heads=2, context=8)

    def write(self) -> TinyLM:
        torch.manual_seed(1)
        model = TinyLM(self.shape)
        safetensors.torch.save_file(model.state_dict(), self.directory / serve.WEIGHTS)
        (self.directory / serve.CONFIG).write_text(json.dumps({**vars(self.shape), "model_type": "tinylm"}))
        return model

    def test_loads_what_training_wrote(self) -> None:
        model = self.write()
        loaded = serve.load(self.directory, untrained=False)
        self.assertEqual(loaded.shape, self.shape)
        torch.testing.assert_close(loaded.state_dict(), model.state_dict(), rtol=0, atol=0)

    def test_untrained_has_the_same_shape_and_answers_differently(self) -> None:
        self.write()
        trained, untrained = (Generator(serve.load(self.directory, flag)) for flag in (False, True))
        answers = [bytes(itertools.islice(g(b"And", Sampling(seed=1)), 20)) for g in (trained, untrained)]
        self.assertNotEqual(*answers)

    def test_untrained_needs_no_directory(self) -> None:
        self.assertEqual(serve.load(None, untrained=True).shape, Shape())

    def test_says_what_is_missing(self) -> None:
        with self.assertRaisesRegex(Failure, "SLIPWAY_MODEL_PATH is empty"):
            serve.load(None, untrained=False)
        with self.assertRaisesRegex(Failure, "config.json.*has the training run finished"):
            serve.load(self.directory, untrained=False)
        self.write()
        for name in (serve.CONFIG, serve.WEIGHTS):
            with self.subTest(name):
                (self.directory / name).write_bytes(b"{")
                with self.assertRaisesRegex(Failure, f"{name}.*has the training run finished"):
                    serve.load(self.directory, untrained=False)
                self.write()


if __name__ == "__main__":
    unittest.main()

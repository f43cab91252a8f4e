# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""HTTP in front of a generator: routes, bodies, server-sent events, clients that leave."""

import contextlib
import itertools
import json
import select
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tinylm import protocol
from tinylm.generate import Sampling, Transcript
from tinylm.protocol import ApiError, Request

MAX_BODY = 1 << 20  # bytes
IDLE = 120.0  # seconds that a connection may stay silent

Generate = Callable[[bytes, Sampling], Iterator[int]]  # an endless continuation of a prompt


class ClientLeft(ConnectionError):
    """Nobody waits for the answer any more."""


class Service:
    """A generator under a name, and how many answers it is giving."""

    def __init__(self, name: str, generate: Generate) -> None:
        self.name, self.generate, self.created = name, generate, int(time.time())
        self._running = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count an answer as running."""
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait until no answer is running; False when the time is over."""
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, seconds)


class Answer:
    """The pieces of one answer's text; `reason` and `count` are final after the last piece."""

    def __init__(self, generate: Generate, request: Request, left: Callable[[], bool]) -> None:
        self._generate, self._request, self._left = generate, request, left
        self.reason, self.count = "length", 0

    def __iter__(self) -> Iterator[str]:
        sampling, transcript = self._request.sampling, Transcript(self._request.sampling.stop)
        with contextlib.closing(self._generate(self._request.prompt, sampling)) as tokens:
            for token in itertools.islice(tokens, sampling.max_tokens):
                if self._left():
                    raise ClientLeft
                self.count += 1
                yield transcript.push(token)
                if transcript.stopped:
                    break
        yield transcript.finish()
        if transcript.stopped:
            self.reason = "stop"

    def usage(self) -> dict[str, int]:
        """Tokens in and out so far."""
        return protocol.usage(self._request.prompt, self.count)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "tinylm"
    timeout = IDLE
    disable_nagle_algorithm = True
    server: "Server"

    def do_GET(self) -> None:
        """Health and the list of models."""
        service, path = self.server.service, self._path()
        if path == "/health":
            self._json(200, {"status": "ok"})
        elif path == "/v1/models":
            self._json(200, protocol.models(service.name, service.created))
        elif path == f"/v1/models/{service.name}":
            self._json(200, protocol.model(service.name, service.created))
        else:
            self._refuse(ApiError(404, f"GET {path}: nothing here; models are at /v1/models"))

    def do_POST(self) -> None:
        """Completions of prompts and chats."""
        chat = {"/v1/completions": False, "/v1/chat/completions": True}.get(self._path())
        try:
            body = self._body()
            if chat is None:
                raise ApiError(404, f"POST {self._path()}: nothing here; try /v1/chat/completions")
            request = Request.parse(parse_json(body), chat, self.server.service.name)
        except ApiError as error:
            self._refuse(error)
            return
        with self.server.service.answering():
            self._answer(request)

    def _answer(self, request: Request) -> None:
        answer = Answer(self.server.service.generate, request, self._left)
        try:
            if request.stream:
                self._stream(request, answer)
            else:
                text = "".join(answer)
                self._json(200, request.answer(text, answer.reason, answer.usage()))
        except (ConnectionError, TimeoutError):
            self.log_message("client left after %d tokens", answer.count)
            self.close_connection = True

    def _stream(self, request: Request, answer: Answer) -> None:
        self._begin_events()
        if request.chat:
            self._event(json.dumps(request.opening()))
        for text in filter(None, answer):
            self._event(json.dumps(request.piece(text)))
        self._event(json.dumps(request.closing(answer.reason)))
        if request.include_usage:
            self._event(json.dumps(request.accounting(answer.usage())))
        self._event("[DONE]")
        if self._chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _begin_events(self) -> None:
        self._chunked = self.request_version != "HTTP/1.0"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        if self._chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Connection", "close")
        self.end_headers()

    def _event(self, content: str) -> None:
        event = f"data: {content}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event) if self._chunked else event)

    def _left(self) -> bool:
        """Whether the client has closed the connection; data would be its next request."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        if not poll.poll(0):
            return False
        try:
            return self.connection.recv(1, socket.MSG_PEEK) == b""
        except ConnectionError:
            return True

    def _body(self) -> bytes:
        """The body of a request with a length; after a refusal its rest is not read, so the connection ends."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise ApiError(411, "send the body with a Content-Length")
        if int(length) > MAX_BODY:
            self.close_connection = True
            raise ApiError(413, f"the body is longer than {MAX_BODY} bytes")
        return self.rfile.read(int(length))

    def _path(self) -> str:
        return urllib.parse.unquote(self.path.partition("?")[0])

    def _refuse(self, error: ApiError) -> None:
        self._json(error.status, error.body())

    def _json(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses, such as an unknown method, in the same shape as the rest."""
        self.close_connection = True
        self._refuse(ApiError(code, message or self.responses[code][0]))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line for each request but the probes."""
        if getattr(self, "path", "") != "/health":  # there is no path when the request line was malformed
            super().log_request(code, size)


class Server(ThreadingHTTPServer):
    """Listens, one thread per connection."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        super().__init__(address, Handler)
        self.service = service


def parse_json(body: bytes) -> Any:
    """A request's body; raises ApiError where it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not JSON: {error}") from error

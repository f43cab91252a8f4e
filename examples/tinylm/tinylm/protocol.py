# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""The part of the OpenAI API that a text generator needs: requests checked, answers shaped.

Parameters that change nothing here are ignored, as OpenAI-compatible servers
do; those that would change the answer and are not supported are refused.
"""

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from tinylm.generate import Sampling

MAX_TOKENS = 4096
_ONLY = {"n": 1, "best_of": 1, "response_format": {"type": "text"}}
_REFUSED = ("echo", "logprobs", "tools", "suffix", "logit_bias", "presence_penalty", "frequency_penalty")


class ApiError(Exception):
    """A refusal in the shape that OpenAI clients understand."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code

    def body(self) -> dict[str, Any]:
        """The JSON to answer with."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


@dataclass(frozen=True)
class Request:
    """A checked request for a completion, of a prompt or of a chat."""

    chat: bool
    model: str
    prompt: bytes
    sampling: Sampling
    stream: bool
    include_usage: bool
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))

    @classmethod
    def parse(cls, body: Any, chat: bool, served: str) -> "Request":
        """Check a request body; raises ApiError naming the parameter that is wrong."""
        if not isinstance(body, dict):
            raise ApiError(400, "the body is not a JSON object")
        _refuse_unsupported(body)
        options = body.get("stream_options") or {}
        if not isinstance(options, dict):
            raise ApiError(400, "stream_options is an object", "stream_options")
        return cls(
            chat=chat,
            model=_model(body, served),
            prompt=(_conversation(body) if chat else _prompt(body)).encode("utf-8", "replace"),
            sampling=_sampling(body),
            stream=_flag(body, "stream"),
            include_usage=_flag(options, "include_usage"),
        )

    def answer(self, text: str, reason: str, usage: dict[str, int]) -> dict[str, Any]:
        """The whole answer at once."""
        content = {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": reason}
        return {**self._envelope("chat.completion"), "choices": [choice], "usage": usage}

    def opening(self) -> dict[str, Any] | None:
        """What a stream begins with: in a chat, who speaks."""
        return self._chunk({"delta": {"role": "assistant", "content": ""}}, None) if self.chat else None

    def piece(self, text: str) -> dict[str, Any]:
        """A further piece of a streamed answer."""
        return self._chunk({"delta": {"content": text}} if self.chat else {"text": text}, None)

    def closing(self, reason: str) -> dict[str, Any]:
        """What ends the choice of a stream."""
        return self._chunk({"delta": {}} if self.chat else {"text": ""}, reason)

    def accounting(self, usage: dict[str, int]) -> dict[str, Any]:
        """The last piece of a stream whose client asked for its usage."""
        return {**self._envelope("chat.completion.chunk"), "choices": [], "usage": usage}

    def _chunk(self, content: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": reason}
        chunk = {**self._envelope("chat.completion.chunk"), "choices": [choice]}
        return {**chunk, "usage": None} if self.include_usage else chunk

    def _envelope(self, kind: str) -> dict[str, Any]:
        prefix, kind = ("chatcmpl", kind) if self.chat else ("cmpl", "text_completion")
        return {"id": f"{prefix}-{self.id}", "object": kind, "created": self.created, "model": self.model}


def usage(prompt: bytes, generated: int) -> dict[str, int]:
    """Tokens are bytes."""
    total = len(prompt) + generated
    return {"prompt_tokens": len(prompt), "completion_tokens": generated, "total_tokens": total}


def models(name: str, created: int) -> dict[str, Any]:
    """The list of the one model."""
    return {"object": "list", "data": [model(name, created)]}


def model(name: str, created: int) -> dict[str, Any]:
    """What is known about the model."""
    return {"id": name, "object": "model", "created": created, "owned_by": "slipway"}


def _refuse_unsupported(body: dict[str, Any]) -> None:
    for name, only in _ONLY.items():
        if body.get(name) not in (None, only):
            raise ApiError(400, f"{name} can only be {json.dumps(only)} here", name)
    for name in _REFUSED:
        if body.get(name):
            raise ApiError(400, f"{name} is not supported here; leave it out", name)


def _model(body: dict[str, Any], served: str) -> str:
    """The name asked for: the served one, alone or qualified by a namespace."""
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise ApiError(400, f"model is missing; this server has {served}", "model")
    if name != served and not name.endswith(f"/{served}"):
        raise ApiError(404, f"model {name} does not exist; this server has {served}", "model", "model_not_found")
    return name


def _prompt(body: dict[str, Any]) -> str:
    prompt = body.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise ApiError(400, "prompt is a string, or a list of one string", "prompt")
    return prompt


def _conversation(body: dict[str, Any]) -> str:
    """The messages as lines: the model has read books, not conversations, and continues the last one."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "messages is a list of at least one message", "messages")
    return "\n".join(_content(message, index) for index, message in enumerate(messages))


def _content(message: Any, index: int) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        content = _parts(content)
    if not isinstance(content, str):
        where = f"messages[{index}].content"
        raise ApiError(400, f"{where} is a string or a list of parts of type text", where)
    return content


def _parts(parts: list[Any]) -> str | None:
    texts = [part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    sound = len(texts) == len(parts) and all(isinstance(text, str) for text in texts)
    return "".join(texts) if sound else None


def _sampling(body: dict[str, Any]) -> Sampling:
    limit = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    seed = _number(body, "seed", None, -(2**63), 2**63 - 1, whole=True)
    return Sampling(
        max_tokens=_number(body, limit, Sampling.max_tokens, 1, MAX_TOKENS, whole=True),
        temperature=_number(body, "temperature", Sampling.temperature, 0, 2),
        top_p=_number(body, "top_p", Sampling.top_p, 0, 1),
        seed=seed,
        stop=_stop(body),
    )


def _stop(body: dict[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop")
    stop = [] if stop is None else [stop] if isinstance(stop, str) else stop
    if not isinstance(stop, list) or len(stop) > 4 or not all(isinstance(s, str) and s for s in stop):
        raise ApiError(400, "stop is a string or a list of up to 4 strings, none empty", "stop")
    return tuple(stop)


def _number(body: dict[str, Any], name: str, default: Any, low: float, high: float, whole: bool = False) -> Any:
    value = body.get(name)
    if value is None:
        return default
    types = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, types) or not low <= value <= high:
        raise ApiError(400, f"{name} is {'a whole' if whole else 'a'} number from {low} to {high}", name)
    return value


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise ApiError(400, f"{name} is true or false", name)
    return bool(value)

"""A running server as the tests see it: where it is, what it is called, and what it has counted by itself."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from servers import Running


class Tokens(NamedTuple):
    """What a server has counted since it started. `cached` is a part of `input`; None if it does not say."""

    input: int
    output: int
    cached: int | None = None

    def since(self, before: Tokens) -> Tokens:
        """What came to it."""
        cached = None if self.cached is None or before.cached is None else self.cached - before.cached
        return Tokens(self.input - before.input, self.output - before.output, cached)


def of_llama(server: Running) -> Tokens:
    """The counters of llama.cpp, which tells apart what it read and what it had in its cache."""
    cached = server.counter("llamacpp:prompt_tokens_cached_total")
    read = server.counter("llamacpp:prompt_tokens_total")
    return Tokens(read + cached, server.counter("llamacpp:tokens_predicted_total"), cached)


def of_vllm(server: Running) -> Tokens:
    """The counters of vLLM."""
    return Tokens(server.counter("vllm:prompt_tokens_total"), server.counter("vllm:generation_tokens_total"))


@dataclass(frozen=True)
class Served:
    """One server.

    Attributes:
        name: of the server, and of the provider that the user declares for it.
        url: where it is, without a path.
        model: what requests call the model.
        answers_as: what its answers call it.
        key: what it asks for, if anything.
        counted: reads the tokens that it has counted; None where it counts nothing that can be read.
        names_requests: whether the id of an answer is in its header `x-request-id` as well.
    """

    name: str
    url: str
    model: str = "tiny"
    answers_as: str = "tiny"
    key: str = "not-a-key"
    counted: Callable[[], Tokens] | None = None
    names_requests: bool = False

    @property
    def declared(self) -> str:
        """The setting that declares the server's provider."""
        return f"{self.url.removeprefix('http://')}={self.name}"

    def settings(self, **more: Any) -> dict[str, Any]:
        """What a client of it is made with."""
        return {"base_url": f"{self.url}/v1", "api_key": self.key, "max_retries": 0, "timeout": 60, **more}

    def before(self) -> Tokens:
        """What it has counted until now."""
        return self.counted() if self.counted else Tokens(0, 0)

    def since(self, before: Tokens, output: int) -> Tokens | None:
        """What it has counted since then, as soon as that is so many tokens put out; None where it counts nothing.

        A server may answer a moment before it counts. After five seconds it is what it is.
        """
        if self.counted is None:
            return None
        deadline = time.monotonic() + 5
        while (tokens := self.counted().since(before)).output < output and time.monotonic() < deadline:
            time.sleep(0.02)
        return tokens

    def says(self, path: str, body: Mapping[str, Any]) -> Tokens:
        """The tokens in its answer to the same request, sent without any SDK; for a server that counts nothing."""
        plain = json.dumps({"model": self.model, **body, "stream": False}).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.key}"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, plain, headers), timeout=60) as answer:
            usage = json.load(answer)["usage"]
        return Tokens(*(usage.get(f"{old}_tokens", usage.get(f"{new}_tokens")) for old, new in _WORDS))


# What OpenAI's two APIs call them.
_WORDS = (("prompt", "input"), ("completion", "output"))

"""Ollama's streams, which are generators, each read twice: without the instrumentation, and with it. See `endings`."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Callable
from typing import Any

import ollama
from opentelemetry import trace

from endings import Ended, Seen, _listening, collected, described, until
from loopback import ModelServer, Ndjson, Reply, Telemetry
from opentelemetry_instrumentation_genai import OllamaInstrumentor

MODEL = "llama3.2"
WORDS = ("one", "two", "three")
DONE: dict[str, Any] = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 2_000_000_000,
    "load_duration": 500_000_000,
    "prompt_eval_count": 8,
    "prompt_eval_duration": 250_000_000,
    "eval_count": 3,
    "eval_duration": 1_000_000_000,
}


def line(content: Any = "", **members: Any) -> dict[str, Any]:
    """One line of a streamed chat, or with `**DONE` the last one, or a plain answer."""
    message = {"role": "assistant", "content": content}
    return {"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": False, **members}


LINES = (*map(line, WORDS), line(**DONE))


def stream(*lines: Any, **ending: Any) -> Ndjson:
    """A streamed chat as the server sends it; of three words unless given."""
    return Ndjson(lines or LINES, **ending)


def chat(client: Any) -> Any:
    """The stream, or what can be awaited for it."""
    return client.chat(model=MODEL, messages=[{"role": "user", "content": "Hi"}], stream=True)


def whole(**changes: Any) -> Ended:
    """The end of a stream that was read wholly."""
    known = {"reasons": ["stop"], "usage": (8, 3), "texts": ["onetwothree"], "first_chunk": 1, "per_chunk": 3}
    return Ended(**{**known, **changes})


def partly(**changes: Any) -> Ended:
    """The end of a stream of which two words were read."""
    return Ended(**{"reasons": ["error"], "texts": ["onetwo"], "first_chunk": 1, "per_chunk": 1, **changes})


async def close(client: Any) -> None:
    """Closes either client; older ones cannot be asked to."""
    http = client._client
    await http.aclose() if hasattr(http, "aclose") else http.close()


class Twice:
    """Reads twice, the second time instrumented."""

    def __init__(self, server: ModelServer, telemetry: Telemetry) -> None:
        self._server = server
        self._telemetry = telemetry

    def __call__(self, reply: Reply | None, reading: Callable[..., Any], *, leaves: bool | None = None) -> Seen:
        """What both readings saw; AssertionError where they differ.

        Args:
            reply: the server's answer, given twice; None where it is not asked.
            reading: called with a client and a `Seen`; a coroutine function gets an asynchronous client.
            leaves: whether the server sees the client leave before the body ends; None does not look.
        """
        bare = self._read(reply, reading, leaves)
        OllamaInstrumentor().instrument(**self._telemetry.providers, capture_message_content="span_only")
        seen = self._read(reply, reading, leaves)
        assert bare == seen
        assert leaves in (None, seen.left)
        assert not trace.get_current_span().get_span_context().is_valid, "a span was left current"
        return seen

    def _read(self, reply: Reply | None, reading: Callable[..., Any], leaves: bool | None) -> Seen:
        """One reading, with a client of its own, in an event loop of its own if need be."""
        self._server.reset()
        if reply is not None:
            self._server.reply(reply)
        seen = Seen()
        with _listening(seen.logged):
            asyncio.run(self._read_async(reading, seen, leaves))
            gc.collect()
        return seen

    async def _read_async(self, reading: Callable[..., Any], seen: Seen, leaves: bool | None) -> None:
        asynchronous = inspect.iscoroutinefunction(reading)
        # Without TLS there is nothing to verify, and loading the certificates takes longer than the call.
        client = (ollama.AsyncClient if asynchronous else ollama.Client)(host=self._server.url, verify=False)
        try:
            if asynchronous:
                await reading(client, seen)
            else:
                reading(client, seen)
        except (Exception, asyncio.CancelledError, KeyboardInterrupt) as error:
            seen.raised = described(error)
        await collected()
        if leaves is not None:
            seen.left = await until(self._server.requests[-1].left.is_set, patient=leaves)
        await close(client)

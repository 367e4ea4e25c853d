"""Streams of the `google-genai` SDK, and how they end. Each is read twice, without the instrumentation and with it."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import pytest
from inline_snapshot import snapshot

pytest.importorskip("google.genai")

from opentelemetry import trace

from google_callers import Caller, done
from loopback import ModelServer, Sse, Telemetry
from loopback.google_bodies import MODEL, chunks, error
from opentelemetry_instrumentation_genai import GoogleGenAIInstrumentor

pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning"),  # the SDK's own, of aiohttp
    pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning"),
]
SENTINEL = object()


class Reader:
    """Reads a stream of one kind of client, step by step.

    Args:
        client: the client, or its asynchronous part.
    """

    def __init__(self, client: Any) -> None:
        self._models = client.models
        self.stream: Any = None
        self.texts: list[str] = []

    async def open(self) -> None:
        """Ask for the stream."""
        self.stream = await done(self._models.generate_content_stream(model=MODEL, contents="Hi"))

    async def read(self, chunks: int = 99) -> None:
        """Read some chunks."""
        for _ in range(chunks):
            asynchronous = hasattr(self.stream, "__anext__")
            chunk = await anext(self.stream, SENTINEL) if asynchronous else next(self.stream, SENTINEL)
            if chunk is SENTINEL:
                return
            self.texts.append(chunk.text)
            assert not trace.get_current_span().get_span_context().is_valid, "a span was left current"

    async def close(self) -> None:
        """Close the stream."""
        if hasattr(self.stream, "aclose"):
            await self.stream.aclose()
        else:
            self.stream.close()


async def whole(reader: Reader) -> None:
    """To its end."""
    await reader.open()
    await reader.read()


async def closed(reader: Reader) -> None:
    """Two chunks, then it is closed."""
    await reader.open()
    await reader.read(2)
    await reader.close()


async def dropped(reader: Reader) -> None:
    """Two chunks, then it is collected."""
    await reader.open()
    await reader.read(2)
    reader.stream = None
    gc.collect()
    await asyncio.sleep(0.01)


async def raised_between(reader: Reader) -> None:
    """An exception of the application between two chunks."""
    await reader.open()
    await reader.read(1)
    raise LookupError


async def unread(reader: Reader) -> None:
    """Not at all."""
    await reader.open()
    reader.stream = None
    gc.collect()
    await asyncio.sleep(0.01)


async def cancelled(reader: Reader) -> None:
    """Cancelled while it waits for the second chunk."""
    await reader.open()
    await reader.read(1)
    waiting = asyncio.ensure_future(reader.read(1))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await waiting


class Twice:
    """Reads twice."""

    def __init__(self, server: ModelServer, telemetry: Telemetry, kind: str) -> None:
        self._server = server
        self._telemetry = telemetry
        self._caller = Caller(server, kind)

    def __call__(self, reply: Any, reading: Callable[[Reader], Any]) -> tuple[Any, Any]:
        """What the application saw both times, and what was recorded of the second."""
        bare = self._read(reply, reading)
        GoogleGenAIInstrumentor().instrument(**self._telemetry.providers, capture_message_content="span_only")
        seen = self._read(reply, reading)
        assert bare == seen
        return seen, self._recorded()

    def _read(self, reply: Any, reading: Callable[[Reader], Any]) -> tuple[list[str], str]:
        self._server.reset()
        self._server.reply(reply)
        seen: list[tuple[list[str], str]] = []

        async def use(client: Any, _done: Any) -> None:
            reader = Reader(client)
            try:
                await reading(reader)
            except (Exception, asyncio.CancelledError) as raised:
                seen.append((reader.texts, type(raised).__name__))
            else:
                seen.append((reader.texts, ""))
            reader.stream = None
            gc.collect()
            await asyncio.sleep(0.01)

        self._caller.run(use)
        gc.collect()
        return seen[0]

    def _recorded(self) -> Any:
        spans = self._telemetry.spans
        if not spans:
            return None
        (span,) = spans
        attributes = span.attributes
        output = json.loads(attributes.get("gen_ai.output.messages", "[]"))
        texts = [part["content"] for message in output for part in message["parts"]]
        reasons = list(attributes.get("gen_ai.response.finish_reasons", ()))
        tokens = attributes.get("gen_ai.usage.output_tokens")
        return span.status.status_code.name, attributes.get("error.type"), reasons, texts, tokens


@pytest.fixture(params=["sync", "async"])
def twice(server: ModelServer, telemetry: Telemetry, request: pytest.FixtureRequest) -> Twice:
    """Reads of both kinds of client."""
    return Twice(server, telemetry, request.param)


STREAM = Sse(chunks(), done=False)


def test_to_its_end(twice: Twice):
    """The span has all of it."""
    assert twice(STREAM, whole) == snapshot(
        ((["one", "two", "three"], ""), ("UNSET", None, ["stop"], ["onetwothree"], 3))
    )


@pytest.mark.parametrize("reading", [closed, dropped])
def test_left_early(twice: Twice, reading: Any):
    """It is no failure; what was read is kept, and a candidate without a reason counts as one that failed."""
    assert twice(Sse(chunks(), done=False, end="stall", sent=2), reading) == snapshot(
        ((["one", "two"], ""), ("UNSET", None, ["error"], ["onetwo"], None))
    )


def test_left_by_an_exception(twice: Twice):
    """The application's own exception between two chunks is no failure of the call."""
    assert twice(STREAM, raised_between) == snapshot(
        ((["one"], "LookupError"), ("UNSET", None, ["error"], ["one"], None))
    )


def test_never_read(twice: Twice):
    """A stream that is never read sends nothing, and is no call."""
    assert twice(STREAM, unread) == snapshot((([], ""), None))


def test_an_end_without_a_reason(twice: Twice):
    """A body that ends cleanly before its last chunk is no failure, and its candidate has no reason."""
    assert twice(Sse(chunks(), done=False, end="early", sent=2), whole) == snapshot(
        ((["one", "two"], ""), ("UNSET", None, ["error"], ["onetwo"], None))
    )


def test_a_connection_that_is_cut(twice: Twice):
    """What the SDK raises is the failure; what was received is kept."""
    (texts, raised), recorded = twice(Sse(chunks(), done=False, end="cut", sent=2), whole)
    assert (texts, raised in recorded[1], recorded[0], recorded[2:]) == snapshot(
        (["one", "two"], True, "ERROR", (["error"], ["onetwo"], None))
    )


def test_an_error_in_the_stream(twice: Twice):
    """The provider's status is the type of the error."""
    failing = [*chunks()[:1], error(503, "UNAVAILABLE", "Overloaded.")]
    _, recorded = twice(Sse(failing, done=False), whole)  # older releases do not raise it
    assert recorded == ("ERROR", "UNAVAILABLE", ["error"], ["one"], None)


def test_a_chunk_that_is_no_json(twice: Twice):
    """What the SDK raises is the failure."""
    assert twice(Sse([*chunks()[:1], "{no json"], done=False), whole) == snapshot(
        (
            (["one"], "UnknownApiResponseError"),
            ("ERROR", "google.genai.errors.UnknownApiResponseError", ["error"], ["one"], None),
        )
    )


def test_cancelled(server: ModelServer, telemetry: Telemetry):
    """A task that is cancelled while it waits for a chunk fails."""
    assert Twice(server, telemetry, "async")(Sse(chunks(), done=False, end="stall", sent=1), cancelled) == snapshot(
        ((["one"], "CancelledError"), ("ERROR", "asyncio.exceptions.CancelledError", ["error"], ["one"], None))
    )


def test_spans_between_two_chunks_are_no_children(server: ModelServer, telemetry: Telemetry):
    """The span of a stream is not current while the application has the turn."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    tracer = telemetry.tracer_provider.get_tracer("application")
    server.reply(STREAM)

    async def use(client: Any, _done: Any) -> None:
        for _ in client.models.generate_content_stream(model=MODEL, contents="Hi"):
            with tracer.start_as_current_span("own"):
                pass

    Caller(server).run(use)
    assert [span.parent for span in telemetry.spans if span.name == "own"] == [None] * 3


def test_streamed_arguments(server: ModelServer, telemetry: Telemetry):
    """Arguments of a function that arrive in pieces are put together."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    calls = [
        {"name": "weather", "id": "call-1", "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.city", "stringValue": "Ro", "willContinue": True}], "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.city", "stringValue": "me"}, {"jsonPath": "$.days", "numberValue": 2}]},
        {"name": "time", "id": "call-2", "args": {}},
    ]
    parts: list[dict[str, Any]] = [{"functionCall": call} for call in calls]
    server.reply(Sse([{"candidates": [{"content": {"parts": [part]}}]} for part in parts], done=False))
    Caller(server, vertex=True)("generate_content_stream", model=MODEL, contents="Hi")
    assert json.loads(telemetry.span.attributes["gen_ai.output.messages"]) == snapshot(
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "tool_call", "id": "call-1", "name": "weather", "arguments": {"city": "Rome", "days": 2}},
                    {"type": "tool_call", "id": "call-2", "name": "time", "arguments": {}},
                ],
                "finish_reason": "error",
            }
        ]
    )

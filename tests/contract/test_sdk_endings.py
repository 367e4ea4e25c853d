"""Calls and streams of the further SDKs, and how they end: each made twice, without the instrumentation and with it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from opentelemetry import trace

from contract import SYNC, WAYS, Provider, Row, Way
from contract.drive import settled
from contract.sdks import INSTALLED
from endings import described, qualified
from loopback import Json, ModelServer, Reply, Sse, Telemetry

pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="has an environment of its own, with these SDKs"),
    pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning"),  # methods that the SDK deprecates
]
BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
# The first that streams: of each SDK one is enough, since all of them go through one funnel.
STREAMS = {
    provider.name: (provider, row)
    for provider in INSTALLED
    for row in reversed(provider.rows)
    if row.streamed is not None and row.style in ("call", "wrapped") and row.chunks > 1
}
BY_STREAM = pytest.mark.parametrize(("provider", "row"), STREAMS.values(), ids=STREAMS)
CALLED = {provider.name: (provider, provider.rows[0]) for provider in INSTALLED}
BY_SDK = pytest.mark.parametrize(("provider", "row"), CALLED.values(), ids=CALLED)
_REFUSED = {"error": {"message": "No.", "type": "invalid_request_error", "code": "context_length_exceeded"}}


class Reader:
    """Reads a stream of one row, step by step.

    Args:
        call: makes the stream.
    """

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._stream: Any = None
        self.seen: list[str] = []

    async def open(self) -> None:
        """Ask for the stream."""
        self._stream = await settled(self._call())

    async def read(self, chunks: int = 99) -> None:
        """Read some chunks."""
        for _ in range(chunks):
            try:
                chunk = await anext(self._stream) if hasattr(self._stream, "__anext__") else next(self._stream, None)
            except StopAsyncIteration:
                chunk = None
            if chunk is None:
                return
            self.seen.append(repr(chunk))
            assert not trace.get_current_span().get_span_context().is_valid, "a span was left current"

    async def close(self) -> None:
        """Close the stream."""
        await settled((getattr(self._stream, "close", None) or self._stream.aclose)())

    def drop(self) -> None:
        """Let go of the stream."""
        self._stream = None
        gc.collect()


async def whole(reader: Reader) -> None:
    """To its end."""
    await reader.open()
    await reader.read()


async def closed(reader: Reader) -> None:
    """One chunk, then it is closed, twice."""
    await reader.open()
    await reader.read(1)
    await reader.close()
    await reader.close()


async def dropped(reader: Reader) -> None:
    """One chunk, then it is collected."""
    await reader.open()
    await reader.read(1)
    reader.drop()


async def unread(reader: Reader) -> None:
    """Collected without a chunk."""
    await reader.open()
    reader.drop()


async def raised_between(reader: Reader) -> None:
    """An exception of the application after a chunk."""
    await reader.open()
    await reader.read(1)
    raise LookupError


async def cancelled(reader: Reader) -> None:
    """Cancelled while it waits for the second chunk."""
    await reader.open()
    await reader.read(1)
    waiting = asyncio.ensure_future(reader.read(1))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await waiting


@pytest.fixture(autouse=True, scope="module")
def _collections_are_short() -> Iterator[None]:
    """What is there before the tests is not collected again and again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@dataclass(frozen=True)
class Twice:
    """Reads twice, the second time instrumented."""

    server: ModelServer
    telemetry: Telemetry
    clients: Any

    def __call__(
        self, provider: Provider, row: Row, way: Way, reply: Reply, reading: Callable[[Reader], Awaitable[None]]
    ) -> tuple[str, ...] | None:
        """Return what the application saw raised, which is the same both times."""
        client = self.clients(provider.clients[0], way)
        if missing := row.missing(client, stream=True):
            pytest.skip(missing)
        bare = self._read(row, client, way, reply, reading)
        provider.instrumentor().instrument(**self.telemetry.providers, capture_message_content="span_only")
        seen = self._read(row, client, way, reply, reading)
        assert bare == seen
        return seen[1]

    def _read(
        self, row: Row, client: Any, way: Way, reply: Reply, reading: Callable[[Reader], Awaitable[None]]
    ) -> tuple[list[str], tuple[str, ...] | None]:
        self.server.reset()
        self.server.reply_always(reply)
        method = row.find(client)
        assert method is not None
        reader = Reader(lambda: method(**row.keywords(client, stream=True)))
        raised: list[tuple[str, ...] | None] = [None]

        async def read() -> None:
            try:
                await reading(reader)
            except (Exception, asyncio.CancelledError) as error:
                # A connection that is cut has its own port in what it says.
                raised[0] = (qualified(error),) if "onnection" in str(error) else described(error)
            reader.drop()
            if way is not SYNC:
                await asyncio.sleep(0.01)

        way.run(read())
        gc.collect()
        return reader.seen, raised[0]

    @property
    def ended(self) -> tuple[str, Any]:
        """How the one span ended."""
        span = self.telemetry.span
        return span.status.status_code.name, (span.attributes or {}).get("error.type")


@pytest.fixture
def twice(server: ModelServer, telemetry: Telemetry, clients: Any) -> Twice:
    """Reads streams of the model server."""
    return Twice(server, telemetry, clients)


def stream(row: Row, **ending: Any) -> Sse:
    """The stream of a row, ending in another way."""
    assert isinstance(row.streamed, Sse)
    return replace(row.streamed, **ending)


@BY_WAY
@BY_STREAM
@pytest.mark.parametrize("reading", [closed, dropped, unread])
def test_left_early(twice: Twice, provider: Provider, row: Row, way: Way, reading: Any) -> None:
    """The span ends when the application has let go of the stream, and it is no failure."""
    assert twice(provider, row, way, stream(row, end="stall", sent=2), reading) is None
    if reading is unread and twice.server.requests == []:  # a generator that sends nothing before it is read
        assert twice.telemetry.spans == []
    else:
        assert twice.ended == ("UNSET", None)


@BY_WAY
@BY_STREAM
def test_left_by_an_exception(twice: Twice, provider: Provider, row: Row, way: Way) -> None:
    """The application's own exception is none of the call's."""
    assert twice(provider, row, way, stream(row), raised_between) == ("LookupError", "", "")
    assert twice.ended == ("UNSET", None)


@BY_WAY
@BY_STREAM
def test_a_body_that_ends_early(twice: Twice, provider: Provider, row: Row, way: Way) -> None:
    """A body that ends without its last event is no failure; where it has reasons, one that is missing is `error`."""
    assert twice(provider, row, way, stream(row, end="early", sent=1), whole) is None
    assert twice.ended == ("UNSET", None)
    if "gen_ai.response.finish_reasons" in row.stream_response:
        assert twice.telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("error",)


@BY_WAY
@BY_STREAM
def test_a_connection_that_is_cut(twice: Twice, provider: Provider, row: Row, way: Way) -> None:
    """What the SDK raises is the failure."""
    raised = twice(provider, row, way, stream(row, end="cut", sent=1), whole)
    assert raised is not None
    assert twice.ended == ("ERROR", raised[0])


@BY_WAY
@BY_STREAM
def test_an_event_that_is_no_json(twice: Twice, provider: Provider, row: Row, way: Way) -> None:
    """What the SDK raises is the failure."""
    raised = twice(provider, row, way, stream(row, events=[row.streamed.events[0], "{no json"]), whole)
    if raised is None:  # an SDK that reads over it
        assert twice.ended == ("UNSET", None)
    elif (
        row.style == "wrapped"
    ):  # an older release reads the bytes of its copy of OpenAI's SDK, to which its exception is none
        assert twice.ended in (("UNSET", None), ("ERROR", raised[0]))
    else:
        assert twice.ended == ("ERROR", raised[0])


@BY_STREAM
def test_cancelled(twice: Twice, provider: Provider, row: Row) -> None:
    """A task that is cancelled while it waits for a chunk fails."""
    raised = twice(provider, row, WAYS[1], stream(row, end="stall", sent=1), cancelled)
    assert raised is not None
    assert twice.ended == ("ERROR", "asyncio.exceptions.CancelledError")


@BY_WAY
@BY_STREAM
def test_refused(twice: Twice, provider: Provider, row: Row, way: Way) -> None:
    """A stream that the provider refuses: the code of its error, or the name of the exception."""
    raised = twice(provider, row, way, Json(_REFUSED, status=400), whole)
    assert raised is not None
    assert raised[0].endswith("BadRequestError")
    status, error = twice.ended
    assert (status, error in ("context_length_exceeded", "invalid_request_error", raised[0])) == ("ERROR", True)


@BY_WAY
@BY_SDK
def test_a_plain_call_that_is_refused(
    twice: Twice, server: ModelServer, telemetry: Telemetry, *, provider: Provider, row: Row, way: Way
) -> None:
    """So is a plain call; the status is recorded, and the key is nowhere."""
    client = twice.clients(provider.clients[0], way)
    method = row.find(client)
    assert method is not None
    provider.instrumentor().instrument(**telemetry.providers)
    server.reply_always(Json(_REFUSED, status=400))

    async def call() -> None:
        await settled(method(**row.keywords(client, stream=False)))

    with pytest.raises(Exception, match=r"No\.") as raised:
        way.run(call())
    status, error = twice.ended
    assert (status, error in ("context_length_exceeded", "invalid_request_error", qualified(raised.value))) == (
        "ERROR",
        True,
    )
    assert telemetry.span.attributes["http.response.status_code"] == 400
    assert "sk-test-not-a-key" not in telemetry.span.to_json()

"""An event loop that ends before an asynchronous stream that was left by `break`: what asyncio says then is what it says bare.

The loop closes all asynchronous generators at once, those of the SDK and of its HTTP client within each other, in the order of a
set, which is that of their addresses in memory. By that order alone some collide ("asynchronous generator is already running"),
with the instrumentation and without it. So the order is chosen here, and each is tried both ways.
"""

from __future__ import annotations

import asyncio
import gc
import random
import re
from collections.abc import Callable, Coroutine
from typing import Any

import ollama
import pytest

import ollama_endings
from endings import APIS, Api
from loopback import ModelServer, Telemetry
from opentelemetry_instrumentation_genai import OllamaInstrumentor

ORDERS = 12


class Loop(asyncio.SelectorEventLoop):
    """An event loop that closes asynchronous generators in an order that does not depend on where they are in memory."""

    def __init__(self, order: int) -> None:
        super().__init__()
        self.closed: list[str] = []
        self.reported: list[str] = []
        self._order = random.Random(order)
        self.set_exception_handler(lambda _, context: self.reported.append(without_address(context["message"])))

    async def shutdown_asyncgens(self) -> None:
        """Close them as asyncio does."""
        found = sorted(self._asyncgens, key=lambda generator: generator.__qualname__)
        self.closed = [generator.__qualname__ for generator in found]
        self._order.shuffle(found)
        hooked, self._asyncgens = self._asyncgens, Ordered(found)
        del found
        await super().shutdown_asyncgens()
        hooked.clear()
        self._asyncgens = hooked


class Ordered(list[Any]):
    """A list where asyncio has a set."""

    add = list.append

    def discard(self, _generator: object) -> None:
        """All of them are closed already."""


def without_address(message: str) -> str:
    """What does not differ from run to run."""
    return re.sub("0x[0-9a-f]+", "...", message)


def run(reading: Callable[[], Coroutine[Any, Any, object]], order: int) -> tuple[list[str], list[str]]:
    """The asynchronous generators that the loop closes when it ends, and what it says of them. It ends as `asyncio.run` does."""
    loop = Loop(order)
    try:
        held = loop.run_until_complete(reading())
        loop.run_until_complete(loop.shutdown_asyncgens())
        del held
        gc.collect()
    finally:
        loop.close()
    return loop.closed, sorted(loop.reported)


def both(instrument: Callable[[], None], reading: Callable[[], Coroutine[Any, Any, object]]) -> int:
    """Compare the readings without and with ours, in each order. Returns how often asyncio reported something."""
    bare = [run(reading, order) for order in range(ORDERS)]
    instrument()
    ours = [run(reading, order) for order in range(ORDERS)]

    assert bare == ours
    return sum(bool(reports) for _, reports in bare)


async def breaks(stream: Any) -> Any:
    """Leave it after two chunks. Returns the stream, which lives as long as the loop."""
    count = 0
    async for _ in stream:
        count += 1
        if count == 2:
            break
    return stream


@pytest.mark.parametrize("usage", ["off", "inject"])
@pytest.mark.parametrize("read", ["events", "lines", "helper"])
@pytest.mark.parametrize("end", ["stall", "complete"])
@pytest.mark.parametrize("api", APIS)
def test_a_stream_left_by_break_when_the_loop_ends(
    server: ModelServer, telemetry: Telemetry, *, api: Api, end: Any, read: str, usage: str
) -> None:
    """The same generators are there, and each order of closing them has the same outcome."""
    if usage == "inject" and api.sdk.name != "openai":
        pytest.skip("usage is asked for by OpenAI's API alone")
    server.reply_always(lambda _: api.reply(end=end, sent=3))

    async def reading() -> Any:
        client = api.sdk.open_async(server)
        resource = api.resource(client)
        if read == "events":
            return client, await breaks(await api.create(client))
        if read == "lines":
            response = await api.called(client, "with_streaming_response")(**api.body, stream=True).__aenter__()
            return client, await breaks(response.iter_lines())
        if not hasattr(resource, "stream"):
            pytest.skip("this SDK has no such helper")
        return client, await breaks(await resource.stream(**api.body).__aenter__())

    settings = {"stream_usage": usage} if api.sdk.name == "openai" else {}
    both(
        lambda: api.sdk.instrumentor().instrument(
            **telemetry.providers, capture_message_content="span_only", **settings
        ),
        reading,
    )

    assert ORDERS == len(telemetry.spans)


@pytest.mark.parametrize("end", ["stall", "complete"])
def test_a_stream_of_ollama_left_by_break_when_the_loop_ends(
    server: ModelServer, telemetry: Telemetry, end: Any
) -> None:
    """Which is a generator of the SDK's itself."""
    server.reply_always(lambda _: ollama_endings.stream(end=end, sent=3))

    async def reading() -> Any:
        client = ollama.AsyncClient(host=server.url, verify=False)
        return client, await breaks(await ollama_endings.chat(client))

    both(lambda: OllamaInstrumentor().instrument(**telemetry.providers), reading)

    assert ORDERS == len(telemetry.spans)

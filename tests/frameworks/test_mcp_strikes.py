"""Whatever step of the instrumentation of MCP fails, the application gets what it gets without us, and no span stays open."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import ClientSession
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import SpanProcessor

from loopback import Telemetry
from mcp_clients import CITY, by_http, served, text_of
from opentelemetry_instrumentation_genai import McpInstrumentor
from opentelemetry_instrumentation_genai._runtime import guard
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending
from strikes import Place, PlantedError, places, struck

# The frames through which our code is called, and which only call what is guarded: what is raised at their own entry cannot be caught.
FRAMES = frozenset({"_send", "_discover", "_enter", "_leave", "_opened", "__anext__", "_post", "_span", "_inject", "model_dump", "__exit__"})  # fmt: skip
ENGINE = ("_operations/calls.py", "_operations/framework_run.py", "_patching/propagation.py", "_signals/application.py")
# Before the SDK's own exit it is as if the interrupt had come before that: the streams stay open, and what they raise comes instead.
LEAVING = "_leave"
pytestmark = [pytest.mark.process, pytest.mark.filterwarnings("ignore")]


class Open(SpanProcessor):
    """The spans that have started and not ended."""

    def __init__(self) -> None:
        """None yet."""
        self.spans: set[int] = set()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span has started."""
        self.spans.add(span.context.span_id)

    def on_end(self, span: Any) -> None:
        """A span has ended."""
        self.spans.remove(span.context.span_id)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of streamable HTTP."""
    yield from served()


async def ask(session: ClientSession) -> list[str]:
    """What the application gets of some requests."""
    got = [text_of(await session.call_tool("get_weather", CITY))]
    got.append(text_of(await session.call_tool("fail", {"word": "Atlantis"})))
    got.append(str((await session.get_prompt("greet", {"name": "Ada"})).messages))
    try:
        await session.get_prompt("no such prompt")
    except Exception as error:
        got.append(repr(error))
    return got


def asked(url: str) -> Any:
    """The same in a loop and a session of its own."""

    async def within() -> list[str]:
        async with by_http(url) as session:
            await session.initialize()
            return await ask(session)

    try:
        return asyncio.run(within())
    except BaseException as raised:
        return repr(raised)


def strikable(place: Place) -> bool:
    """Whether a failure at a place is ours to catch. The engine is struck by other tests."""
    ours = place.module.startswith("frameworks/mcp/") and place.function not in FRAMES
    return place.entry and (ours or place.module in ENGINE)


def struck_at_lines(url: str, error: type[BaseException], still: Open, telemetry: Telemetry) -> tuple[int, list[str]]:
    """Strike before each line that requests pass. Returns how many struck, and what was not right."""
    bare = asked(url)
    McpInstrumentor().instrument(
        **telemetry.providers, capture_message_content=True, redact="all", propagate="127.0.0.1", metrics="extended"
    )
    expected, number, faults = asked(url), 0, []
    assert expected == bare
    of_all = len(telemetry.spans)
    for place in places(lambda: asked(url)):
        if not place.module.startswith("frameworks/mcp/") and place.module not in ENGINE:
            continue
        with struck(place, error()) as hit:
            got = asked(url)
        if not hit:
            continue
        number += 1
        gc.collect()
        finish_pending()
        if got != expected and error.__name__ not in got and place.function != LEAVING:
            faults.append(f"{place}: the application got {got!r}")
        if still.spans or get_current():
            faults.append(f"{place}: {len(still.spans)} spans stay open, {get_current()}")
            still.spans.clear()
        telemetry.clear()
        if asked(url) != expected or len(telemetry.spans) != of_all:
            faults.append(f"{place}: the next requests had {len(telemetry.spans)} spans")
    return number, faults


@pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interrupt(
    error: type[BaseException], url: str, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no `Exception` strikes before each line that requests pass: it goes on, each span ends, the next are followed."""
    monkeypatch.setattr(guard, "strict", False)
    still = Open()
    telemetry.tracer_provider.add_span_processor(still)
    number, faults = struck_at_lines(url, error, still, telemetry)
    assert faults == []
    assert number > 150


def test_a_step_that_fails(url: str, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each function that requests pass raises once at its entry."""
    monkeypatch.setattr(guard, "strict", False)
    still = Open()
    telemetry.tracer_provider.add_span_processor(still)
    expected = asked(url)
    McpInstrumentor().instrument(
        **telemetry.providers, capture_message_content=True, redact="all", propagate="127.0.0.1", metrics="extended"
    )
    assert asked(url) == expected
    faults = []
    passed = [place for place in places(lambda: asked(url)) if strikable(place)]
    for place in passed:
        with struck(place, PlantedError()) as hit:
            got = asked(url)
        gc.collect()
        if hit and (got != expected or still.spans or get_current()):
            faults.append(f"{place}: {got!r}, {len(still.spans)} spans stay open, {get_current()}")
            still.spans.clear()
    assert faults == []
    assert {
        "frameworks/mcp/_requests.py",
        "frameworks/mcp/_seam.py",
        "frameworks/mcp/_sessions.py",
        "frameworks/mcp/_transports.py",
    } <= {one.module for one in passed}

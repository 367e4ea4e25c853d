"""Beside other instrumentations of MCP: each request is reported once, whoever came first."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import mcp.client.session
import mcp.client.stdio
import mcp.client.streamable_http
import pytest
from mcp import ClientSession, StdioServerParameters
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from foreign import foreign
from loopback import Telemetry, uninstrument_all
from mcp_clients import CITY, SERVER, http_client, served, text_of
from opentelemetry_instrumentation_genai import McpInstrumentor

FIRST = ["initialize", "tools/call get_weather", "tools/list"]
LINE = (
    "mcp is instrumented by {} already: its calls are not instrumented twice. "
    "Disable that, or set OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS=true to have both."
)
OURS = "opentelemetry_instrumentation_genai"
orders = pytest.mark.parametrize("first", ["ours", "theirs"])
pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of streamable HTTP."""
    yield from served()


@pytest.fixture(autouse=True)
def restored(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test leaves in the SDK goes with the test, and no line has been logged before."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    caplog.set_level(logging.WARNING, OURS)
    spaces: list[Any] = [kind for kind in ClientSession.__mro__ if kind.__module__.startswith("mcp.")]
    spaces += [mcp.client.stdio, mcp.client.streamable_http]
    before = [(space, dict(vars(space))) for space in spaces]
    yield
    uninstrument_all()
    for space, held in before:
        for name, value in held.items():
            if vars(space).get(name) is not value:
                setattr(space, name, value)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What we log."""
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], ModuleType]:
    """Makes the module of another instrumentation, below a package that offers its instrumentor."""

    def make(source: str, package: str) -> ModuleType:
        module, offering = foreign(source), ModuleType(package)
        vars(offering)["McpInstrumentor"] = vars(module)["McpInstrumentor"]
        monkeypatch.setitem(sys.modules, package, offering)
        return module

    return make


def both(telemetry: Telemetry, first: str, module: ModuleType, name: str) -> BaseInstrumentor:
    """Instrument by ours and by theirs, in an order. Returns theirs."""
    theirs: BaseInstrumentor = vars(module)[name]()
    if first == "ours":
        McpInstrumentor().instrument(**telemetry.providers)
    theirs.instrument(tracer_provider=telemetry.tracer_provider)
    if first == "theirs":
        McpInstrumentor().instrument(**telemetry.providers)
    return theirs


async def some_requests(url: str) -> None:
    """Open a session and call a tool."""
    async with http_client(f"{url}/mcp") as streams, ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        assert text_of(await session.call_tool("get_weather", CITY)) == "24 °C in Lisbon"


def names_of(telemetry: Telemetry) -> list[str]:
    """The names of the spans."""
    return sorted(span.name for span in telemetry.spans)


@orders
@pytest.mark.parametrize(
    ("source", "package"),
    [("openllmetry_mcp", "opentelemetry.instrumentation.mcp"), ("distro_mcp", "vendor.distro.mcp")],
)
async def test_one_that_wraps_what_sends(  # noqa: PLR0917 - fixtures
    source: str, package: str, first: str, logged: Any, offered: Any, url: str, telemetry: Telemetry
) -> None:
    """It reports all requests, and we none of them; a package is known by its name, or by the instrumentor that it offers."""
    both(telemetry, first, offered(source, package), "McpInstrumentor")
    await some_requests(url)
    assert names_of(telemetry) == ["theirs"] * 3
    assert "mcp.client.operation.duration" not in telemetry.metrics
    assert logged() == [LINE.format(package)]


async def test_one_that_is_switched_off(offered: Any, url: str, telemetry: Telemetry) -> None:
    """It is noticed when it goes."""
    theirs = both(telemetry, "ours", offered("distro_mcp", "vendor.distro.mcp"), "McpInstrumentor")
    await some_requests(url)
    assert names_of(telemetry) == ["theirs"] * 3
    telemetry.clear()
    theirs.uninstrument()
    await some_requests(url)
    assert names_of(telemetry) == FIRST


@orders
async def test_one_that_wraps_methods(first: str, url: str, telemetry: Telemetry) -> None:
    """It reports what these methods send, and we the rest."""
    theirs = both(telemetry, first, foreign("methods_mcp"), "MCPClientInstrumentor")
    await some_requests(url)
    # `call_tool` asks for the schema of the result by a method that it wraps as well.
    assert set(names_of(telemetry)) == {"initialize", "theirs"}
    theirs.uninstrument()


async def test_both_on_request(url: str, telemetry: Telemetry) -> None:
    """With `allow_others` a request has two spans."""
    vars(foreign("openllmetry_mcp"))["McpInstrumentor"]().instrument(tracer_provider=telemetry.tracer_provider)
    McpInstrumentor().instrument(**telemetry.providers, allow_others=True)
    await some_requests(url)
    assert names_of(telemetry) == sorted([*FIRST, *["theirs"] * 3])


@orders
@pytest.mark.parametrize("by", ["stdio", "http"])
async def test_one_that_writes_the_context_only(by: str, first: str, url: str, telemetry: Telemetry) -> None:
    """It makes no spans: all are ours, of a known connection, and what it writes into the requests is the context of our spans."""
    theirs = both(telemetry, first, foreign("openinference_mcp"), "MCPInstrumentor")
    if by == "stdio":
        made: Any = mcp.client.stdio.stdio_client(StdioServerParameters(command=sys.executable, args=[str(SERVER)]))
    else:
        made = getattr(mcp.client.streamable_http, http_client.__name__)(f"{url}/mcp")
    async with made as streams, ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        parent = text_of(await session.call_tool("parent", {}))
    theirs.uninstrument()
    (span,) = [span for span in telemetry.spans if span.name == "tools/call parent"]
    attributes = dict(span.attributes or {})
    assert names_of(telemetry) == ["initialize", "tools/call parent", "tools/list"]
    assert parent.split("-")[1:3] == [f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"]
    assert attributes["network.transport"] == {"stdio": "pipe", "http": "tcp"}[by]
    assert ("mcp.session.id" in attributes) == (by == "http")

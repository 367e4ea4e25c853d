"""Clients of the `mcp` SDK: each request of a session is one span, with its metrics, over every transport."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from importlib.metadata import version
from inspect import getattr_static
from operator import is_
from pathlib import Path
from typing import Any

import mcp.client.session
import mcp.client.sse
import mcp.client.streamable_http
import pytest
from inline_snapshot import external_file
from mcp import ClientSession
from mcp.client.stdio import stdio_client
from opentelemetry import baggage, context as otel_context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

from loopback import Telemetry
from mcp_clients import CITY, by_http, by_stdio, http_client, served, text_of
from opentelemetry_instrumentation_genai import McpInstrumentor, capture_content, execute_tool, invoke_agent

MAJOR = int(version("mcp").partition(".")[0])
SNAPSHOTS = Path(__file__).parent / "snapshots" / f"mcp_{MAJOR}"

# The SDK asks for the schema of a tool's result when it has one.
FIRST = ["initialize", "tools/call get_weather", "tools/list"]
DURATION, SESSION = "mcp.client.operation.duration", "mcp.client.session.duration"
only_mcp_2 = pytest.mark.skipif(MAJOR == 1, reason="new in mcp 2")
pytestmark = [
    pytest.mark.usefixtures("nothing_stays"),
    pytest.mark.process,
    # Of what the SDK uses, and of what it lets its users use no more.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated.*"),
]


@pytest.fixture(autouse=True)
async def in_time() -> AsyncIterator[None]:
    """No test waits for a server for ever."""
    async with asyncio.timeout(50):
        yield


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of streamable HTTP."""
    yield from served()


@pytest.fixture(scope="module")
def sse_url() -> Iterator[str]:
    """A server of the older transport."""
    yield from served("sse")


def instrument(telemetry: Telemetry, **settings: Any) -> None:
    """Follow the clients."""
    McpInstrumentor().instrument(**telemetry.providers, **settings)


def seconds(number: float) -> Any:
    """Seconds as the SDK wants them."""
    return timedelta(seconds=number) if MAJOR == 1 else number


def attributes(telemetry: Telemetry, name: str) -> dict[str, Any]:
    """The attributes of the one span of a name."""
    (span,) = [span for span in telemetry.spans if span.name == name]
    return dict(span.attributes or {})


def status(span: Any) -> tuple[str, str | None]:
    """The status of a span."""
    return span.status.status_code.name, span.status.description


async def all_requests(session: ClientSession) -> None:
    """A request of each kind, some of which fail."""
    await session.initialize()
    await session.list_tools()
    assert text_of(await session.call_tool("get_weather", CITY)) == "24 °C in Lisbon"
    assert text_of(await session.call_tool("get_forecast", CITY)) == "25 °C in Lisbon"
    failed: Any = await session.call_tool("fail", {"word": "Atlantis"})
    assert getattr(failed, "isError", None) or failed.is_error
    await session.list_prompts()
    await session.get_prompt("greet", {"name": "Ada"})
    await session.list_resources()
    uri: Any = "weather://lisbon"
    await session.read_resource(uri)
    with pytest.raises(Exception, match="Unknown resource"):
        await session.read_resource(uri.replace("lisbon", "oslo"))
    await session.send_ping()


def snapshot_without_ids(telemetry: Telemetry) -> Any:
    """What was recorded, with `<id>` for the id of the session, which is on all of its spans."""
    taken: Any = telemetry.snapshot()
    of_mcp = [span["attributes"] for span in taken["spans"] if "mcp.method.name" in span["attributes"]]
    (identity,) = {attributes["mcp.session.id"] for attributes in of_mcp}
    assert len(identity) == 32
    for attributes in of_mcp:
        attributes["mcp.session.id"] = "<id>"
    return taken


async def test_with_prices(telemetry: Telemetry) -> None:
    """The setting is about models: a request to an MCP server has no cost, and nothing fails."""
    instrument(telemetry, prices="billed")
    async with by_stdio() as session:
        await session.initialize()
        await session.call_tool("get_weather", CITY)
    assert [span.name for span in telemetry.spans] == FIRST[: len(telemetry.spans)]
    assert not [span for span in telemetry.spans if "gen_ai.usage.cost" in (span.attributes or {})]


async def test_over_stdio(telemetry: Telemetry) -> None:
    """All that is recorded of each request to a process, and of the session, with content."""
    instrument(telemetry, capture_message_content=True)
    async with by_stdio() as session:
        await all_requests(session)
    assert external_file(SNAPSHOTS / "stdio.json") == telemetry.snapshot()


@pytest.mark.parametrize("generation", [None, "gen_ai_latest_experimental", "gen_ai_latest_experimental/dup"])
async def test_over_streamable_http(generation: str | None, url: str, telemetry: Telemetry) -> None:
    """Over HTTP the server has an address, and the session an id. All generations of the conventions have the same names."""
    instrument(telemetry, semconv_stability_opt_in=generation)
    async with by_http(url) as session:
        await all_requests(session)
    assert external_file(SNAPSHOTS / "http.json") == snapshot_without_ids(telemetry)


async def test_over_sse(sse_url: str, telemetry: Telemetry) -> None:
    """The older transport over HTTP has the server's address too."""
    instrument(telemetry)
    async with mcp.client.sse.sse_client(f"{sse_url}/sse") as (read, write), ClientSession(read, write) as session:
        await session.initialize()
    found = attributes(telemetry, "initialize")
    assert (found["network.transport"], found["network.protocol.name"]) == ("tcp", "http")
    assert (found["server.address"], str(found["server.port"])) == ("127.0.0.1", sse_url.rpartition(":")[2])


async def test_parallel_requests(url: str, telemetry: Telemetry) -> None:
    """Requests side by side have their own parents."""
    instrument(telemetry)
    tracer = telemetry.tracer_provider.get_tracer("app")

    async def ask(session: ClientSession, city: str) -> str:
        with tracer.start_as_current_span(city):
            return text_of(await session.call_tool("get_weather", {"city": city}))

    async with by_http(url) as session:
        await session.initialize()
        cities = [f"city {number}" for number in range(5)]
        answers = await asyncio.gather(*(ask(session, city) for city in cities))
    assert answers == [f"24 °C in {city}" for city in cities]
    names = {span.context.span_id: span.name for span in telemetry.spans if span.context}
    parents = [
        names[span.parent.span_id] for span in telemetry.spans if span.name.startswith("tools/call") and span.parent
    ]
    assert sorted(parents) == cities


async def test_cancelled(url: str, telemetry: Telemetry) -> None:
    """A request whose task is cancelled ends then, as a failure, and the session goes on."""
    instrument(telemetry)
    async with by_http(url) as session:
        await session.initialize()
        task = asyncio.create_task(session.call_tool("slow"))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await session.send_ping()
    (span,) = [span for span in telemetry.spans if span.name == "tools/call slow"]
    assert status(span) == ("ERROR", "CancelledError")
    assert attributes(telemetry, "tools/call slow")["error.type"] == "asyncio.exceptions.CancelledError"
    assert telemetry.spans[-1].name == "ping"


async def test_timeout(url: str, telemetry: Telemetry) -> None:
    """A server that does not answer in time has sent no code."""
    instrument(telemetry)
    async with by_http(url) as session:
        await session.initialize()
        with pytest.raises(Exception, match=r"(?i)timed out"):
            await session.call_tool("slow", {}, seconds(0.2))
    found = attributes(telemetry, "tools/call slow")
    assert found["error.type"] == "timeout"
    assert "rpc.response.status_code" not in found
    assert "timeout" in [point.attributes.get("error.type") for point in telemetry.metrics[DURATION]]


async def test_a_server_that_dies(telemetry: Telemetry) -> None:
    """A connection that ends within a request is its failure; the session is left as ever."""
    instrument(telemetry)
    async with by_stdio() as session:
        await session.initialize()
        with pytest.raises(Exception, match="closed"):
            await session.call_tool("die")
    found = attributes(telemetry, "tools/call die")
    assert found["error.type"] == "connection_closed"
    assert "rpc.response.status_code" not in found
    assert [point.count for point in telemetry.metrics[SESSION]] == [1]


async def test_a_session_that_fails(url: str, telemetry: Telemetry) -> None:
    """The duration of a session that an exception leaves has its type."""
    instrument(telemetry)
    with pytest.raises(BaseException) as caught:
        async with by_http(url) as session:
            await session.initialize()
            raise LookupError
    assert "LookupError" in repr(caught.value)
    (point,) = telemetry.metrics[SESSION]
    assert point.attributes["error.type"] == "LookupError"


async def test_within_a_span_of_the_tool(url: str, telemetry: Telemetry) -> None:
    """Within an `execute_tool` span of the same tool no other is made: that one gets the attributes, and the failure."""
    instrument(telemetry, capture_message_content=True)
    async with by_http(url) as session:
        await session.initialize()
        telemetry.clear()
        with invoke_agent("adviser"):
            with execute_tool("weather_get_weather", call_id="call_1") as tool:
                tool.set_result(text_of(await session.call_tool("get_weather", CITY)))
            with execute_tool("fail"):
                await session.call_tool("fail", {"word": "Atlantis"})
    assert external_file(SNAPSHOTS / "within_a_tool.json") == snapshot_without_ids(telemetry)


async def test_within_a_span_of_another_tool(url: str, telemetry: Telemetry) -> None:
    """A tool of the application that calls one of another name has a span of its own for that; an agent counts both."""
    instrument(telemetry)
    async with by_http(url) as session:
        await session.initialize()
        with invoke_agent("adviser"), execute_tool("advise"):
            await session.call_tool("get_weather", CITY)
    names = [span.name for span in telemetry.spans]
    assert names == [
        "initialize",
        "tools/call get_weather",
        "tools/list",
        "execute_tool advise",
        "invoke_agent adviser",
    ]
    assert [point.sum for point in telemetry.metrics["gen_ai.invoke_agent.tool_calls"]] == [2]


@pytest.mark.parametrize(("setting", "sent"), [("example.com", False), ("self-hosted", True)])
async def test_propagation_to_a_process(setting: str | None, sent: bool, telemetry: Telemetry) -> None:
    """A process of this machine gets the context of the trace if the settings say so; it is that of the request's span."""
    instrument(telemetry, propagate=setting)
    async with by_stdio() as session:
        await session.initialize()
        found = text_of(await session.call_tool("parent"))
    (span,) = [span for span in telemetry.spans if span.name == "tools/call parent"]
    expected = f"00-{trace.format_trace_id(span.context.trace_id)}-{trace.format_span_id(span.context.span_id)}-"
    assert found.startswith(expected if sent else "None")


@pytest.mark.parametrize("with_baggage", [True, False])
async def test_propagation_over_http(with_baggage: bool, url: str, telemetry: Telemetry) -> None:
    """A server that the settings name gets the context in the request itself, and the baggage on request."""
    instrument(telemetry, propagate="127.0.0.1", propagate_baggage=with_baggage)
    token = otel_context.attach(baggage.set_baggage("tenant", "blue"))
    async with by_http(url) as session:
        await session.initialize()
        found = text_of(await session.call_tool("received"))
    otel_context.detach(token)
    assert ("traceparent" in found, "baggage" in found) == (True, with_baggage)


async def test_a_context_of_the_application(url: str, telemetry: Telemetry) -> None:
    """What the application has written into a request stays, and its request stays as it is."""
    instrument(telemetry, propagate="self-hosted")
    if MAJOR == 1:
        params = mcp.types.CallToolRequestParams(name="parent", arguments={}, _meta={"traceparent": "mine"})
        request: Any = mcp.types.ClientRequest(mcp.types.CallToolRequest(method="tools/call", params=params))
    else:
        params = mcp.types.CallToolRequestParams(name="parent", arguments={}, _meta={"tenant": "blue"})
        request = mcp.types.CallToolRequest(params=params)
    before = request.model_dump_json()
    async with by_http(url) as session:
        await session.initialize()
        found = text_of(await session.send_request(request, mcp.types.CallToolResult))
    assert request.model_dump_json() == before
    assert (found == "mine") is (MAJOR == 1)  # mcp 2 overwrites it, with or without us


async def test_suppressed(url: str, telemetry: Telemetry) -> None:
    """Where instrumentation is suppressed, requests are not followed."""
    instrument(telemetry)
    async with by_http(url) as session:
        with suppress_instrumentation():
            await session.initialize()
            await session.list_tools()
    assert telemetry.spans == []
    assert DURATION not in telemetry.metrics


async def test_a_block_with_content(url: str, telemetry: Telemetry) -> None:
    """`capture_content` holds for requests too, and redaction."""
    instrument(telemetry, redact="email")
    async with by_http(url) as session:
        await session.initialize()
        with capture_content("span_only"):
            await session.call_tool("get_weather", {"city": "ada@example.com"})
    found = attributes(telemetry, "tools/call get_weather")
    assert "example.com" not in str(found)
    assert "24 °C in" in str(found["gen_ai.tool.call.result"])


async def test_uninstrument(url: str, telemetry: Telemetry) -> None:
    """Every patch is taken back, and an open session goes on without us."""
    before = patched()
    instrument(telemetry)
    assert not any(map(is_, patched(), before))
    async with by_http(url) as session:
        await session.initialize()
        McpInstrumentor().uninstrument()
        await session.list_tools()
    assert all(map(is_, patched(), before))
    assert [span.name for span in telemetry.spans] == ["initialize"]
    assert SESSION not in telemetry.metrics


def patched() -> list[Any]:
    """What is patched: methods, what the functions that open transports are made of, and what mcp 2 traces itself with."""
    methods = [getattr_static(ClientSession, name) for name in ("send_request", "__aenter__", "__aexit__")]
    posting = vars(mcp.client.streamable_http.StreamableHTTPTransport)["post_writer"]
    functions: list[Any] = [stdio_client, mcp.client.sse.sse_client, http_client]
    made_of = [cell.cell_contents for function in functions for cell in function.__closure__]
    dispatcher = sys.modules.get("mcp.shared.jsonrpc_dispatcher")
    tracing = [vars(dispatcher)[name] for name in ("otel_span", "inject_trace_context")] if dispatcher else []
    return [*methods, posting, *made_of, *tracing]


@pytest.fixture
def traced(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    """The global tracer provider is that of the test, and mcp 2 makes its own spans with it."""
    native = pytest.importorskip("mcp.shared._otel")
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", telemetry.tracer_provider)
    monkeypatch.setattr(native, "_tracer", telemetry.tracer_provider.get_tracer("mcp-python-sdk"))
    return telemetry


@only_mcp_2
async def test_one_span_with_the_tracing_of_the_sdk(url: str, traced: Telemetry) -> None:
    """Where mcp 2 traces itself, a request has one span, which is ours, and the context that is sent is that of it."""
    instrument(traced)
    async with by_http(url) as session:
        await session.initialize()
        found = text_of(await session.call_tool("parent"))
    assert [span.name for span in traced.spans] == [*FIRST[:1], "tools/call parent", "tools/list"]
    assert trace.format_span_id(traced.spans[1].context.span_id) in found
    McpInstrumentor().uninstrument()
    traced.clear()
    async with by_http(url) as session:
        await session.initialize()
    assert [span.name for span in traced.spans] == ["MCP send initialize"]


@only_mcp_2
async def test_a_client_that_negotiates(url: str, telemetry: Telemetry) -> None:
    """The client of mcp 2 asks first what the server speaks."""
    from mcp import Client

    instrument(telemetry)
    async with Client(f"{url}/mcp") as client:
        await client.call_tool("get_weather", CITY)
    assert [span.name for span in telemetry.spans] == ["server/discover", *FIRST[1:]]
    assert {(span.attributes or {})["server.address"] for span in telemetry.spans} == {"127.0.0.1"}


@only_mcp_2
async def test_a_server_in_the_process(telemetry: Telemetry) -> None:
    """A server without a transport has the requests that its client sends, and no span of the server's side."""
    from mcp import Client
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("local")
    server.tool()(get_weather)
    instrument(telemetry)
    async with Client(server) as client:
        assert text_of(await client.call_tool("get_weather", CITY)) == "sunny in Lisbon"
    assert [span.name for span in telemetry.spans][-2:] == FIRST[1:]
    assert "network.transport" not in attributes(telemetry, "tools/call get_weather")


def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"

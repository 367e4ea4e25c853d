"""An agent of the OpenAI Agents SDK with the tools of an MCP server: each call of a tool is one span, below the agent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import agents
import pytest
from agents import Agent, Runner
from agents.mcp import MCPServerManager, MCPServerStdio, MCPServerStreamableHttp
from openai import AsyncOpenAI

from loopback import Json, ModelServer, Telemetry
from loopback.openai_bodies import MODEL, response
from mcp_clients import SERVER, served
from opentelemetry_instrumentation_genai import McpInstrumentor, OpenAIAgentsInstrumentor, OpenAIInstrumentor

pytestmark = [
    pytest.mark.usefixtures("nothing_stays"),
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of streamable HTTP."""
    yield from served()


def calls(*cities: str) -> Json:
    """An answer that calls the tool for each city."""
    items = [
        {"type": "function_call", "id": f"fc_{city}", "call_id": city, "name": "get_weather", "status": "completed"}
        | {"arguments": f'{{"city":"{city}"}}'}
        for city in cities
    ]
    return Json(response(output=items))


def paths(telemetry: Telemetry) -> list[str]:
    """The spans in the order of their start, each below the path of its parents."""
    spans = {span.context.span_id: span for span in telemetry.spans if span.context}

    def path(span: Any) -> str:
        above = spans.get(span.parent.span_id) if span.parent else None
        return span.name if above is None else f"{path(above)} > {span.name}"

    return [path(span) for span in sorted(spans.values(), key=lambda span: span.start_time or 0)]


@pytest.mark.parametrize("managed", [False, True])
@pytest.mark.parametrize("by", ["stdio", "http"])
async def test_tools_of_a_server(  # noqa: PLR0917 - fixtures
    by: str, managed: bool, url: str, server: ModelServer, telemetry: Telemetry, async_openai_client: Any
) -> None:
    """Two parallel calls have a span each, that of the agent's tool with what is known of the request; nothing is there twice."""
    agents.set_trace_processors([])
    for instrumentor in (OpenAIInstrumentor, OpenAIAgentsInstrumentor, McpInstrumentor):
        instrumentor().instrument(**telemetry.providers)
    client: AsyncOpenAI = async_openai_client()
    server.reply(calls("Lisbon", "Porto"), Json(response("Sunny.")))
    made: Any = (
        MCPServerStdio({"command": sys.executable, "args": [str(SERVER)]})
        if by == "stdio"
        else MCPServerStreamableHttp({"url": f"{url}/mcp"})
    )
    async with MCPServerManager([made]) if managed else made:
        agent = Agent("Guide", model=agents.OpenAIResponsesModel(MODEL, client), mcp_servers=[made])
        assert (await Runner.run(agent, "How is it?")).final_output == "Sunny."
    found = [path for path in paths(telemetry) if path.startswith("invoke_workflow")]
    above = "invoke_workflow Agent workflow > invoke_agent Guide"
    assert [path for path in found if "execute_tool" in path or "tools/call" in path] == [
        f"{above} > execute_tool get_weather"
    ] * 2
    tools = [dict(span.attributes or {}) for span in telemetry.spans if span.name == "execute_tool get_weather"]
    assert [one["mcp.method.name"] for one in tools] == ["tools/call"] * 2
    assert {one["network.transport"] for one in tools} == {"pipe" if by == "stdio" else "tcp"}
    assert not [path for path in paths(telemetry) if path.startswith("tools/call")]

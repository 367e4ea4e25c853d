"""A planner with two tools: one of an MCP server, and another agent, which has a tool of that server as well."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from loop import answer, definition
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from openai import AsyncOpenAI

from opentelemetry_instrumentation_genai import genai_context, invoke_agent, invoke_workflow

if TYPE_CHECKING:
    from loop import Tool

MODEL = "gpt-4.1-mini"
# It is a service of its own, and ends within seconds when its client does, so it exports early.
VARIABLES = {"OTEL_SERVICE_NAME": "travel-desk", "OTEL_BSP_SCHEDULE_DELAY": "200"}
SERVER = StdioServerParameters(
    command="opentelemetry-instrument", args=["python", "server.py"], env={**os.environ, **VARIABLES}
)


class Agents:
    """Both agents, with what they share.

    Args:
        model: the client of the model.
        desk: the session with the MCP server.
    """

    def __init__(self, model: AsyncOpenAI, desk: ClientSession) -> None:
        self._model = model
        self._desk = desk
        self._definitions: dict[str, Any] = {}

    async def learn(self) -> None:
        """Ask the server which tools it has."""
        for tool in (await self._desk.list_tools()).tools:
            self._definitions[tool.name] = definition(tool.name, tool.description or "", tool.input_schema)

    async def plan(self, question: str) -> str:
        """Answer a question about a trip."""
        about = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        tools: dict[str, Tool] = {"find_trains": self._call("find_trains"), "ask_guide": self._ask_guide}
        definitions = [
            self._definitions["find_trains"],
            definition("ask_guide", "Ask somebody who knows a city.", about),
        ]
        with invoke_agent("planner", model=MODEL, provider="openai") as run:
            reply = await answer(self._model, MODEL, question, tools, definitions)
            run.set_result(reply)
        return reply

    async def _ask_guide(self, city: str) -> str:
        question = f"What is the weather in {city}?"
        tools: dict[str, Tool] = {"get_weather": self._call("get_weather")}
        with invoke_agent("guide", model=MODEL, provider="openai") as run:
            reply = await answer(self._model, MODEL, question, tools, [self._definitions["get_weather"]])
            run.set_result(reply)
        return reply

    def _call(self, name: str) -> Tool:
        async def call(**arguments: str) -> str:
            result = await self._desk.call_tool(name, arguments)
            return "".join(block.text for block in result.content if block.type == "text")

        return call


@invoke_workflow("plan a trip")
async def trip(question: str) -> str:
    """Answer a question with both agents and the server of their tools."""
    async with (
        AsyncOpenAI() as model,
        stdio_client(SERVER) as (read, write),
        ClientSession(read, write) as desk,
    ):
        await desk.initialize()
        agents = Agents(model, desk)
        await agents.learn()
        return await agents.plan(question)


if __name__ == "__main__":
    with genai_context(conversation_id="trip-1"):
        print(asyncio.run(trip("Which trains go to Porto, and what says the guide?")))

"""The part of the booking that a server of the Model Context Protocol knows."""

from __future__ import annotations

import asyncio
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from .weekend import say


async def next_tram(stop: str) -> str:
    """Call a tool of an MCP server, in a process of its own."""
    server = StdioServerParameters(command=sys.executable, args=["-m", f"{__package__}.timetable"])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        result = await session.call_tool("next_tram", {"stop": stop})
    return "".join(block.text for block in result.content if block.type == "text")


def main() -> None:
    """Take the tram."""
    say("Tram", asyncio.run(next_tram("Ribeira")))

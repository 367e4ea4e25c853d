"""A server of the `mcp` SDK, in a process of its own: over stdio, or with a port over HTTP."""

import os
import sys
from typing import Any

import anyio
import anyio.lowlevel

try:
    from mcp.server.mcpserver import Context, MCPServer
except ImportError:  # mcp 1
    from mcp.server.fastmcp import Context, FastMCP as MCPServer

app = MCPServer("weather", log_level="CRITICAL")


@app.tool()
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"24 °C in {city}"


@app.tool()
async def get_forecast(city: str) -> str:
    """Return the weather of tomorrow."""
    await anyio.lowlevel.checkpoint()
    return f"25 °C in {city}"


@app.tool()
def fail(word: str) -> str:
    """Raise an exception."""
    raise ValueError(word)


@app.tool()
async def slow() -> str:
    """Return nothing in the time of a test."""
    await anyio.sleep(30)
    return "late"


@app.tool()
def die() -> str:
    """End the process."""
    os._exit(3)


@app.tool()
def received(ctx: Context) -> str:
    """Return the names in `_meta` of the request."""
    meta: Any = ctx.request_context.meta or {}
    return ",".join(sorted(name for name, value in dict(meta).items() if value is not None))


@app.tool()
def parent(ctx: Context) -> str:
    """Return the trace context of the request."""
    meta: Any = ctx.request_context.meta or {}
    return str(dict(meta).get("traceparent"))


@app.prompt()
def greet(name: str) -> str:
    """Return a greeting."""
    return f"Hello {name}"


@app.resource("weather://lisbon")
def lisbon() -> str:
    """Return the weather of Lisbon."""
    return "sunny"


def main() -> None:
    """Serve until the client, or the test, ends it."""
    if len(sys.argv) == 1:
        app.run()
        return
    import uvicorn

    made = app.sse_app() if sys.argv[2:] == ["sse"] else app.streamable_http_app()
    uvicorn.run(made, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")


if __name__ == "__main__":
    main()

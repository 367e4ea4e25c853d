"""Sessions of the `mcp` SDK with its server in `mcp_server`, of mcp 1 and of mcp 2."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp.client.streamable_http
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

SERVER = Path(__file__).with_name("mcp_server.py")
CITY = {"city": "Lisbon"}
# Renamed, with the same meaning.
http_client: Callable[..., Any] = (
    getattr(mcp.client.streamable_http, "streamable_http_client", None)
    or mcp.client.streamable_http.streamablehttp_client
)


@asynccontextmanager
async def by_stdio(**settings: Any) -> AsyncIterator[ClientSession]:
    """A session with a server in a process of its own."""
    server = StdioServerParameters(command=sys.executable, args=[str(SERVER)])
    async with stdio_client(server) as (read, write), ClientSession(read, write, **settings) as session:
        yield session


@asynccontextmanager
async def by_http(url: str) -> AsyncIterator[ClientSession]:
    """A session over streamable HTTP."""
    async with http_client(f"{url}/mcp") as streams, ClientSession(streams[0], streams[1]) as session:
        yield session


def served(*arguments: str) -> Iterator[str]:
    """A server that listens on loopback, for as long as the tests of this module take."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(SERVER), str(port), *arguments])
    try:
        for _ in range(300):
            with socket.socket() as tried:
                if not tried.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


def text_of(result: Any) -> str:
    """The text of the result of a tool."""
    text: str = result.content[0].text
    return text

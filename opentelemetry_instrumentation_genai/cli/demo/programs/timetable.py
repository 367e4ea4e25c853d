"""A server of the Model Context Protocol with one tool, which the demonstration starts over stdio."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer

app: MCPServer[Any] = MCPServer("timetable", log_level="ERROR")


@app.tool()
def next_tram(stop: str) -> str:
    """Look up when the next tram leaves a stop."""
    return {"Ribeira": "14:05, line 1"}.get(stop, "none today")


if __name__ == "__main__":
    app.run()

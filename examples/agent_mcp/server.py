"""A server of the Model Context Protocol with two tools, which the agents start over stdio."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer

WEATHER = {"Lisbon": "24 °C, sunny", "Porto": "18 °C, light rain"}
TRAINS = {"Porto": "11:32 from platform 4"}
server: MCPServer[Any] = MCPServer("travel desk", log_level="ERROR")


@server.tool()
def get_weather(city: str) -> str:
    """Look the weather of a city up."""
    return f"{city}: {WEATHER.get(city, 'unknown')}"


@server.tool()
def find_trains(city: str) -> str:
    """Find the trains to a city."""
    return f"the train: {TRAINS.get(city, 'none')}"


if __name__ == "__main__":
    server.run()

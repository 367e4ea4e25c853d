"""What the agent can do, and how the model is informed of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def get_weather(city: str) -> str:
    """Look the weather of a city up."""
    await asyncio.sleep(0.2)  # as a request to a server
    weather = {"Lisbon": "24 °C, sunny", "Porto": "18 °C, light rain"}
    return f"{city}: {weather.get(city, 'unknown')}"


async def find_trains(city: str) -> str:
    """Find the trains to a city."""
    await asyncio.sleep(0.2)  # as a request to a server
    trains = {"Porto": "11:32 from platform 4"}
    return f"the train: {trains.get(city, 'none')}"


TOOLS: dict[str, Callable[..., Awaitable[str]]] = {"get_weather": get_weather, "find_trains": find_trains}
DEFINITIONS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": tool.__doc__,
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for name, tool in TOOLS.items()
]

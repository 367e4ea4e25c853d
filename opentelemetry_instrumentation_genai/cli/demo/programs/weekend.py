"""What the programs of the demonstration share: a weekend, its notes and its tools. Nothing here knows of telemetry."""

from __future__ import annotations

BRIEFING = (
    "You plan weekends for two friends who travel by train and dislike hurry. Answer in one or two plain sentences. "
    "Name one place, say why it fits, and never recommend a flight, a cruise or a shopping centre."
)
NOTES = [
    "The night train to Madrid no longer runs.",
    "Pastry at the bakery near the river is best before nine.",
    "Tickets for the tram are cheaper from the machine than from the driver.",
]


def get_weather(city: str) -> str:
    """Look up the weather, as a real tool would over the network."""
    return {"Lisbon": "24 °C, sunny", "Porto": "18 °C, light rain"}.get(city, "unknown")


def find_trains(city: str) -> str:
    """Look trains up, likewise."""
    return {"Porto": "11:32 from platform 4; 15:32 from platform 2"}.get(city, "none")


def say(title: str, text: str = "", end: str = "\n") -> None:
    """Print one line of the plan, at once."""
    print(f"  {title:<12}{text}", end=end, flush=True)

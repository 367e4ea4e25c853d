"""A question to Cerebras, by its own SDK."""

from __future__ import annotations

from typing import Any

from cerebras.cloud.sdk import Cerebras

from .weekend import say


def main() -> None:
    """Ask it."""
    say("Cerebras", end="")
    stream = Cerebras(warm_tcp_connection=False).chat.completions.create(
        model="llama-3.3-70b",
        messages=[{"role": "user", "content": "Do we need an umbrella?"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunk: Any
    for chunk in stream:
        print(chunk.choices[0].delta.content or "" if chunk.choices else "", end="", flush=True)
    print()

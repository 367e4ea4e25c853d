"""A question to Fireworks, by its own SDK."""

from __future__ import annotations

from fireworks import Fireworks

from .weekend import say


def main() -> None:
    """Ask it."""
    answer = Fireworks().chat.completions.create(
        model="llama-3.3-70b", messages=[{"role": "user", "content": "How large is a tip?"}]
    )
    say("Fireworks", str(answer.choices[0].message.content))

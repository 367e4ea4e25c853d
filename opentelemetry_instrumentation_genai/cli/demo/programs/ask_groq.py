"""A question to Groq, by its own SDK."""

from __future__ import annotations

from groq import Groq

from .weekend import say


def main() -> None:
    """Ask it."""
    answer = Groq().chat.completions.create(
        model="llama-3.3-70b", messages=[{"role": "user", "content": "Which bridge?"}]
    )
    say("Groq", answer.choices[0].message.content or "")

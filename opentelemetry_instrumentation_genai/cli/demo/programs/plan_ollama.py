"""The part of the plan that a small model on one's own machine makes, by the `ollama` SDK."""

from __future__ import annotations

import ollama

from .weekend import say

LLAMA = "llama3.2"


def pack() -> None:
    """An answer of a small model on one's own machine, which has to be loaded first, printed while it is written."""
    say("Luggage", end="")
    for part in ollama.chat(model=LLAMA, messages=[{"role": "user", "content": "What should we pack?"}], stream=True):
        print(part.message.content or "", end="", flush=True)
    print()


def name_album() -> None:
    """A prompt for the same model, which is there already."""
    say("The album", ollama.generate(model=LLAMA, prompt="Name our album of photographs.").response or "")


def main() -> None:
    """Pack, and name the album."""
    pack()
    name_album()

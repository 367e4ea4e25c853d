"""The third program of the demonstration: the same question to three more providers, by their own SDKs."""

from __future__ import annotations

from cerebras.cloud.sdk import Cerebras
from fireworks import Fireworks
from groq import Groq

from examples.demo.app import say

LLAMA = "llama-3.3-70b"


def main() -> None:
    """Ask each."""
    groq = Groq().chat.completions.create(model=LLAMA, messages=[{"role": "user", "content": "Which bridge?"}])
    say("Groq", groq.choices[0].message.content or "")
    say("Cerebras", end="")
    for chunk in Cerebras(warm_tcp_connection=False).chat.completions.create(
        model=LLAMA, messages=[{"role": "user", "content": "Do we need an umbrella?"}], stream=True
    ):
        print(chunk.choices[0].delta.content or "" if chunk.choices else "", end="", flush=True)
    print()
    fireworks = Fireworks().chat.completions.create(
        model=LLAMA, messages=[{"role": "user", "content": "How large is a tip?"}]
    )
    say("Fireworks", fireworks.choices[0].message.content or "")


if __name__ == "__main__":
    main()

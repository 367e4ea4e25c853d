"""Plans a day in a town. Nothing here knows of telemetry."""

from __future__ import annotations

from openai import OpenAI

MODEL = "gpt-4.1-mini"


def ask(client: OpenAI, question: str) -> str:
    """Ask, and wait for the whole answer."""
    reply = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": question}])
    return reply.choices[0].message.content or ""


def ask_aloud(client: OpenAI, question: str) -> None:
    """Ask, and print the answer as it comes."""
    stream = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in stream:
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


def main() -> None:
    """Ask two questions."""
    client = OpenAI()
    print(ask(client, "Where is the best pastry?"))
    ask_aloud(client, "Which way along the river?")


if __name__ == "__main__":
    main()

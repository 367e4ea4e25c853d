"""Answers a letter, in a span of its own."""

from __future__ import annotations

from openai import OpenAI
from opentelemetry import trace
from telemetry import telemetry

MODEL = "gpt-4.1-mini"
LETTER = """\
When is closing time of the cellars? Please answer to ana.silva@example.com, or call me: +351 912 345 678."""

tracer = trace.get_tracer("letters")


@tracer.start_as_current_span("answer a letter")
def answer(client: OpenAI, letter: str) -> str:
    """Have a model write the answer."""
    reply = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": "Answer in one sentence."}, {"role": "user", "content": letter}],
    )
    return reply.choices[0].message.content or ""


if __name__ == "__main__":
    with telemetry():
        print(answer(OpenAI(), LETTER))

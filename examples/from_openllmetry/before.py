"""Answers a question from notes, with the telemetry of OpenLLMetry."""

from __future__ import annotations

from openai import OpenAI
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import task, workflow

MODEL = "gpt-4.1-mini"
NOTES = ("Pastry at the bakery near the river is best before nine.", "The night train to Madrid no longer runs.")
client = OpenAI()


@task(name="make prompt")
def make_prompt(question: str) -> str:
    """Put the notes before the question."""
    return "\n".join(["Answer from these notes alone.", *NOTES, question])


@workflow(name="answer from notes")
def answer(question: str) -> str:
    """Answer a question."""
    messages = [{"role": "user", "content": make_prompt(question)}]
    reply = client.chat.completions.create(model=MODEL, messages=messages, temperature=0.2, max_tokens=100)
    return reply.choices[0].message.content or ""


if __name__ == "__main__":
    Traceloop.init(app_name="before")
    Traceloop.set_association_properties({"user_id": "ana", "session_id": "trip-1"})
    print(answer("Where is the best pastry?"))

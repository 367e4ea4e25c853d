"""Answers a question, scores the answer, and keeps it for the votes of users."""

from __future__ import annotations

import re
import sys

from database import Answers
from openai import OpenAI

from opentelemetry_instrumentation_genai import current_call, invoke_agent, record_evaluation

MODEL = "gpt-4.1-mini"


def score(answer: str) -> None:
    """Evaluate an answer, within the operation that gives it."""
    words = len(answer.split())
    brevity = min(1.0, 20 / max(words, 1))
    record_evaluation(
        "brevity", score=brevity, label="pass" if brevity >= 0.5 else "fail", explanation=f"{words} words"
    )
    names_a_time = re.search(r"\b(at|before|until) (\w+)", answer) is not None
    record_evaluation("names_a_time", score=float(names_a_time), label="pass" if names_a_time else "fail")


def answer(database: Answers, question: str) -> str:
    """Answer a question."""
    with invoke_agent("guide", model=MODEL, provider="openai"):
        reply = OpenAI().chat.completions.create(model=MODEL, messages=[{"role": "user", "content": question}])
        text = reply.choices[0].message.content or ""
        score(text)
        database.keep(text, current_call())
    return text


if __name__ == "__main__":
    _, path, asked = sys.argv
    print(answer(Answers(path), asked))

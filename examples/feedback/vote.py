"""Records what a user thinks of the last answer: another process than the one that answered, maybe days later."""

from __future__ import annotations

import sys

from database import Answers

from opentelemetry_instrumentation_genai import record_evaluation

VOTES = {"up": (1.0, "thumbs_up"), "down": (0.0, "thumbs_down")}


def vote(database: Answers, thumb: str) -> None:
    """Record a vote."""
    text, call = database.last()
    score, label = VOTES[thumb]
    record_evaluation("user_feedback", score=score, label=label, call=call)
    print(f"{label}: {text}")


if __name__ == "__main__":
    _, path, pressed = sys.argv
    vote(Answers(path), pressed)

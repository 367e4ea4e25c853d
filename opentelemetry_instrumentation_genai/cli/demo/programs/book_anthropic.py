"""The part of the booking that the tool runner of the `anthropic` SDK does."""

from __future__ import annotations

from anthropic import Anthropic, beta_tool

from .plan_anthropic import CLAUDE
from .weekend import find_trains, say


@beta_tool
def trains(city: str) -> str:
    """The trains that leave a city on Sunday."""
    return find_trains(city)


def take_train(claude: Anthropic) -> str:
    """Have the SDK's runner ask, and run the tool that the model calls."""
    question = "Which train takes us home from Porto on Sunday?"
    runner = claude.beta.messages.tool_runner(
        model=CLAUDE, max_tokens=400, tools=[trains], messages=[{"role": "user", "content": question}]
    )
    return "".join(block.text for block in runner.until_done().content if block.type == "text")


def main() -> None:
    """Take the train."""
    say("Train", take_train(Anthropic()))

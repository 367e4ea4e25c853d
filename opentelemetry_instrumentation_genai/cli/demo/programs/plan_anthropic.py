"""The part of the plan that Anthropic's models make, by the `anthropic` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anthropic import Anthropic

from .weekend import BRIEFING, find_trains, say

if TYPE_CHECKING:
    from anthropic.types import MessageParam, ToolParam

CLAUDE = "claude-sonnet-5-5"
FIND_TRAINS: ToolParam = {
    "name": "find_trains",
    "description": "The trains that leave a city on Sunday.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def consider_rain(claude: Anthropic) -> None:
    """An answer of Anthropic's, with the thoughts before it, by the SDK's own way to stream."""
    say("If it rains", end="")
    with claude.messages.stream(
        model=CLAUDE,
        max_tokens=4000,
        system=BRIEFING,
        messages=[{"role": "user", "content": "And if it rains on Sunday?"}],
        thinking={"type": "adaptive", "display": "summarized"},
    ) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
    print()


def take_train(claude: Anthropic) -> None:
    """An agent's step: the model asks for a tool, and gets its result. The tools and the briefing are cached."""
    messages: list[MessageParam] = [{"role": "user", "content": "Which train takes us home from Porto on Sunday?"}]
    while True:
        message = claude.messages.create(
            model=CLAUDE,
            max_tokens=400,
            system=[{"type": "text", "text": BRIEFING, "cache_control": {"type": "ephemeral"}}],
            tools=[FIND_TRAINS],
            messages=messages,
        )
        if message.stop_reason != "tool_use":
            break
        messages.append({"role": "assistant", "content": message.content})
        messages.append(
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": block.id, "content": find_trains(str(block.input["city"]))}
                    for block in message.content
                    if block.type == "tool_use"
                ],
            }
        )
    say("The train", "".join(block.text for block in message.content if block.type == "text"))


def main() -> None:
    """Think of the rain, and of the train home."""
    claude = Anthropic()
    consider_rain(claude)
    take_train(claude)

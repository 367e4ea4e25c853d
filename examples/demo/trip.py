"""The second program of the demonstration: it books what the first one planned, and names its own operations.

A question is answered from notes (retrieval, prompt, answer, parsing), and an agent runs two tools at once.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from openai import AsyncOpenAI, OpenAI

from examples.demo.app import GET_WEATHER, MODEL, NOTES, ask, get_weather, say
from opentelemetry_instrumentation_genai import execute_tool, invoke_agent, invoke_workflow, retrieval, step

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageFunctionToolCall

Message = dict[str, object]


@retrieval("notes", top_k=1)
def search(client: OpenAI, query: str) -> list[str]:
    """Find the note that is closest in meaning to a question."""
    found = client.embeddings.create(model="text-embedding-3-small", input=[query, *NOTES], dimensions=256)
    wanted, *notes = (item.embedding for item in found.data)
    nearness = [sum(a * b for a, b in zip(wanted, note, strict=True)) for note in notes]
    return [NOTES[nearness.index(max(nearness))]]


@step("make prompt")
def prompt(question: str, notes: list[str]) -> str:
    """Put the notes before the question."""
    return "\n".join([*notes, question])


@step("parse")
def first_sentence(text: str) -> str:
    """Take the first sentence of an answer."""
    return text.partition(". ")[0]


@invoke_workflow("answer from notes")
def answer(client: OpenAI, question: str) -> str:
    """Answer a question from the notes."""
    text = prompt(question, search(client, question))
    reply = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}])
    return first_sentence(reply.choices[0].message.content or "")


async def run_tool(call: ChatCompletionMessageFunctionToolCall) -> Message:
    """Run the tool that the model calls."""
    given = json.loads(call.function.arguments)
    with execute_tool(call.function.name, call_id=call.id, arguments=given) as run:
        await asyncio.sleep(0.05)  # a real one waits for a server
        result = f"{given['city']}: {get_weather(given['city'])}"
        run.set_result(result)
    return {"role": "tool", "tool_call_id": call.id, "content": result}


@invoke_agent("weather agent", model=MODEL)
async def compare_weather(question: str) -> str:
    """Ask until the model needs no tool any more, and run those that it calls at the same time."""
    messages = ask(question)
    async with AsyncOpenAI() as client:
        while True:
            reply = await client.chat.completions.create(model=MODEL, messages=messages, tools=[GET_WEATHER])
            message = reply.choices[0].message
            calls = [call for call in message.tool_calls or () if call.type == "function"]
            if not calls:
                return message.content or ""
            messages.append(message.model_dump(exclude_none=True))  # type: ignore[arg-type]
            messages += await asyncio.gather(*map(run_tool, calls))  # type: ignore[arg-type]


def main() -> None:
    """Answer one question from the notes, and have an agent answer another."""
    say("Note", answer(OpenAI(), "Where is the best pastry?"))
    say("Agent", asyncio.run(compare_weather("Is it warmer in Lisbon or in Porto?")))


if __name__ == "__main__":
    main()

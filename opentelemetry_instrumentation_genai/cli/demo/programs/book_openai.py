"""The second program of the demonstration: it books what the first one planned, and names its own operations.

A question is answered from notes (retrieval, prompt, answer, parsing), an agent runs two tools at once, a batch is created and asked for,
and a question is put over a realtime session.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from openai import AsyncOpenAI, OpenAI

from opentelemetry_instrumentation_genai import execute_tool, invoke_agent, invoke_workflow, retrieval, step

from .plan_openai import GET_WEATHER, MODEL, ask
from .weekend import NOTES, get_weather, say

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
    messages: list[Any] = [*ask(question)]
    async with AsyncOpenAI() as client:
        while True:
            reply = await client.chat.completions.create(model=MODEL, messages=messages, tools=[GET_WEATHER])
            message = reply.choices[0].message
            calls = [call for call in message.tool_calls or () if call.type == "function"]
            if not calls:
                return message.content or ""
            messages.append(message.model_dump(exclude_none=True))
            messages += await asyncio.gather(*map(run_tool, calls))


def order_descriptions(client: OpenAI) -> str:
    """Create a batch, and ask how far it is."""
    batch = client.batches.create(input_file_id="file-trips", endpoint="/v1/chat/completions", completion_window="24h")
    return client.batches.retrieve(batch.id).status


def ask_by_voice(client: OpenAI, question: str) -> str:
    """Put a question over a realtime session, and put the pieces of the answer together."""
    text = ""
    with client.realtime.connect(model="gpt-realtime") as connection:
        content: list[Any] = [{"type": "input_text", "text": question}]
        connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        connection.response.create()
        for event in connection:
            if event.type == "response.output_text.delta":
                text += event.delta
            if event.type == "response.done":
                return text
    return text


def main() -> None:
    """Book the weekend."""
    client = OpenAI()
    say("Note", answer(client, "Where is the best pastry?"))
    say("Agent", asyncio.run(compare_weather("Is it warmer in Lisbon or in Porto?")))
    say("Batch", order_descriptions(client))
    say("Voice", ask_by_voice(client, "When is closing time?"))

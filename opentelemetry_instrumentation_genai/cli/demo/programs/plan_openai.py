"""The first program of the demonstration: it plans a weekend by the `openai` SDK. It knows nothing of telemetry: no import, no setting.

The address of the API and the key come from `OPENAI_BASE_URL` and `OPENAI_API_KEY`, as with any program that uses this SDK.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from openai import APIStatusError, AsyncOpenAI, OpenAI

from .weekend import BRIEFING, NOTES, get_weather, say

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

MODEL = "gpt-4.1-mini"
GET_WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city at this moment.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def ask(question: str) -> list[ChatCompletionMessageParam]:
    """Put a question behind the briefing."""
    return [{"role": "system", "content": BRIEFING}, {"role": "user", "content": question}]


def suggest(client: OpenAI) -> None:
    """One plain call."""
    answer = client.chat.completions.create(
        model=MODEL, messages=ask("Where should we go in May?"), temperature=0.2, max_tokens=120
    )
    say("Where", answer.choices[0].message.content or "")


async def compare(cities: list[str]) -> None:
    """Several calls at once."""
    async with AsyncOpenAI() as client:
        answers = await asyncio.gather(
            *(
                client.chat.completions.create(model=MODEL, messages=ask(f"One reason to visit {city}?"))
                for city in cities
            )
        )
    for city, answer in zip(cities, answers, strict=True):
        say(city, answer.choices[0].message.content or "")


def describe(client: OpenAI) -> None:
    """An answer printed while it is written."""
    say("The walk", end="")
    stream = client.chat.completions.create(
        model=MODEL,
        messages=ask("Describe the walk along the river."),
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in stream:
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


def tease(client: OpenAI) -> None:
    """A streamed answer of which only the first sentence is wanted."""
    say("In short", end="")
    with client.chat.completions.create(
        model=MODEL, messages=ask("Tell us about the history of the place."), stream=True
    ) as stream:
        for chunk in stream:
            text = chunk.choices[0].delta.content or ""
            print(text.rstrip() if "." in text else text, end="", flush=True)
            if "." in text:
                break
    print()


def check_weather(client: OpenAI) -> None:
    """A conversation in which the model asks for a tool, until it has what it needs."""
    messages = ask("Is it warmer in Lisbon or in Porto?")
    while True:
        message = client.chat.completions.create(model=MODEL, messages=messages, tools=[GET_WEATHER]).choices[0].message
        if not message.tool_calls:
            break
        messages.append(
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": call.id,
                        "type": "function",
                        "function": {"name": call.function.name, "arguments": call.function.arguments},
                    }
                    for call in message.tool_calls
                    if call.type == "function"
                ],
            }
        )
        for call in message.tool_calls:
            if call.type == "function":
                city = json.loads(call.function.arguments)["city"]
                messages.append({"role": "tool", "tool_call_id": call.id, "content": f"{city}: {get_weather(city)}"})
    say("Weather", message.content or "")


def find_note(client: OpenAI, question: str) -> None:
    """The note closest in meaning to a question."""
    found = client.embeddings.create(model="text-embedding-3-small", input=[question, *NOTES], dimensions=256)
    wanted, *notes = (item.embedding for item in found.data)
    nearness = [sum(a * b for a, b in zip(wanted, note, strict=True)) for note in notes]
    say("Note", NOTES[nearness.index(max(nearness))])


def plan(client: OpenAI) -> None:
    """An answer of a reasoning model over the Responses API, printed while it is written."""
    say("Saturday", end="")
    stream = client.responses.create(
        model="gpt-5-mini",
        instructions=BRIEFING,
        input="Plan our Saturday.",
        reasoning={"effort": "low", "summary": "auto"},
        stream=True,
    )
    for event in stream:
        if event.type == "response.output_text.delta":
            print(event.delta, end="", flush=True)
    print()


def translate(client: OpenAI) -> None:
    """A call to a busy model: the server asks the SDK to wait, and it tries again by itself."""
    answer = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "How do I say thank you in Portuguese?"}]
    )
    say("Thank you", answer.choices[0].message.content or "")


def upgrade(client: OpenAI) -> None:
    """A call to a model that does not exist, and an application that copes."""
    try:
        client.chat.completions.create(model="gpt-4.1-micro", messages=ask("Is there a better plan?"))
    except APIStatusError as error:
        say("Upgrade", f"not possible ({error.status_code} {error.code}), we keep the plan.")


def main() -> None:
    """Plan the weekend."""
    client = OpenAI()
    suggest(client)
    asyncio.run(compare(["Lisbon", "Porto", "Évora"]))
    describe(client)
    tease(client)
    check_weather(client)
    find_note(client, "Where is the best pastry?")
    plan(client)
    translate(client)
    upgrade(client)

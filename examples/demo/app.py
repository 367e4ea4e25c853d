"""A small program that plans a weekend with a language model. It knows nothing of telemetry: no import, no setting, no hook.

The addresses of the APIs and the keys come from `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `ANTHROPIC_BASE_URL`,
`ANTHROPIC_API_KEY` and `OLLAMA_HOST`, as with any program that uses these SDKs.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import ollama
from anthropic import Anthropic
from openai import APIStatusError, AsyncOpenAI, OpenAI

if TYPE_CHECKING:
    from anthropic.types import MessageParam, ToolParam
    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

MODEL = "gpt-4.1-mini"
CLAUDE = "claude-sonnet-5-5"
LLAMA = "llama3.2"
BRIEFING = (
    "You plan weekends for two friends who travel by train and dislike hurry. Answer in one or two plain sentences. "
    "Name one place, say why it fits, and never recommend a flight, a cruise or a shopping centre."
)
GET_WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city at this moment.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
FIND_TRAINS: ToolParam = {
    "name": "find_trains",
    "description": "The trains that leave a city on Sunday.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
NOTES = [
    "The night train to Madrid no longer runs.",
    "Pastry at the bakery near the river is best before nine.",
    "Tickets for the tram are cheaper from the machine than from the driver.",
]


def get_weather(city: str) -> str:
    """Look up the weather, as a real tool would over the network."""
    return {"Lisbon": "24 °C, sunny", "Porto": "18 °C, light rain"}.get(city, "unknown")


def find_trains(city: str) -> str:
    """Look trains up, likewise."""
    return {"Porto": "11:32 from platform 4; 15:32 from platform 2"}.get(city, "none")


def ask(question: str) -> list[ChatCompletionMessageParam]:
    """Put a question behind the briefing."""
    return [{"role": "system", "content": BRIEFING}, {"role": "user", "content": question}]


def say(title: str, text: str = "", end: str = "\n") -> None:
    """Print one line of the plan, at once."""
    print(f"  {title:<12}{text}", end=end, flush=True)


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


def consider_rain(claude: Anthropic) -> None:
    """An answer of Anthropic's, with the thoughts before it, by the SDK's helper for streams."""
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
    """An agent's step: the model asks for a tool, and is told what that gave. The tools and the briefing are cached."""
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


def pack() -> None:
    """An answer of a small model on one's own machine, which has to be loaded first, printed while it is written."""
    say("Luggage", end="")
    for part in ollama.chat(model=LLAMA, messages=[{"role": "user", "content": "What should we pack?"}], stream=True):
        print(part.message.content or "", end="", flush=True)
    print()


def name_album() -> None:
    """A prompt for the same model, which is there already."""
    say("The album", ollama.generate(model=LLAMA, prompt="Name our album of photographs.").response)


def translate(client: OpenAI) -> None:
    """A call to a busy model: the SDK is told to wait, and tries again by itself."""
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
    claude = Anthropic()
    consider_rain(claude)
    take_train(claude)
    pack()
    name_album()
    translate(client)
    upgrade(client)


if __name__ == "__main__":
    main()

"""Long streams, and many of them at once."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from endings import CHAT, DIFFERENT_APIS, Api, Ended, Twice, response_events
from loopback import Sse, Telemetry
from loopback.anthropic_bodies import ended, events, text_events
from loopback.openai_bodies import chunk
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

WORDS = [f"word-{number} " for number in range(1000)]


def chat_events(words: list[str], identity: str = "chatcmpl-1") -> list[dict[str, Any]]:
    """A streamed chat completion, with usage that counts its words."""
    usage = {"prompt_tokens": 8, "completion_tokens": len(words), "total_tokens": 8 + len(words)}
    content_chunks = [chunk({"content": word}, id=identity) for word in words]
    return [*content_chunks, chunk(reason="stop", id=identity), chunk(choices=[], usage=usage, id=identity)]


MESSAGE = events(text_events(*WORDS)[:-2], ended(output_tokens=len(WORDS)))
LONG = {
    "chat.completions": Sse(chat_events(WORDS)),
    "responses": Sse(response_events(*WORDS), event_names=True),
    "messages": Sse(MESSAGE, event_names=True),
}


def loops(client, seen, api):
    """Reads all."""
    for item in api.create(client):
        seen.note(item)


async def loops_async(client, seen, api):
    """The same, asynchronous."""
    async for item in await api.create(client):
        seen.note(item)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_a_thousand_chunks(twice: Twice, telemetry: Telemetry, api: Api, asynchronous):
    """The application gets each, the span their text, and the metric one record for each but the first."""

    def read(client, seen):
        loops(client, seen, api)

    async def read_async(client, seen):
        await loops_async(client, seen, api)

    reply = LONG[api.path]
    seen = twice(reply, read_async if asynchronous else read)

    assert len(reply.events) == len(seen.chunks)
    ended = api.whole(usage=(8, 1000), texts=["".join(WORDS)], per_chunk=len(reply.events) - 1)
    assert ended == Ended.of(telemetry)


def recorded(telemetry: Telemetry) -> dict[str, tuple[str, int]]:
    """Text and output tokens of each call, by the id of its response."""
    calls = {}
    for span in telemetry.spans:
        attributes: Mapping[str, Any] = span.attributes
        [message] = json.loads(attributes["gen_ai.output.messages"])
        text = "".join(part["content"] for part in message["parts"])
        calls[attributes["gen_ai.response.id"]] = (text, attributes["gen_ai.usage.output_tokens"])
    return calls


def replies(count: int) -> tuple[list[Sse], dict[str, tuple[str, int]]]:
    """Streams that differ in everything, and what is to be recorded of each."""
    words = {f"chatcmpl-{number}": [f"{number}:{place} " for place in range(number + 1)] for number in range(count)}
    streams = [Sse(chat_events(texts, identity), delay=0.001) for identity, texts in words.items()]
    return streams, {identity: ("".join(texts), len(texts)) for identity, texts in words.items()}


def test_twenty_streams_in_one_loop(server, telemetry: Telemetry):
    """Streams that take turns in one event loop are kept apart: text, tokens, ids and chunks."""
    from openai import AsyncOpenAI

    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    streams, expected = replies(20)
    server.reply(*streams)

    async def words(client):
        return [item async for item in await CHAT.create(client)]

    async def main():
        async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            return await asyncio.gather(*(words(client) for _ in streams))

    read = asyncio.run(main())

    assert expected == {chunks[0].id: ("".join(map(_text, chunks)), len(chunks) - 2) for chunks in read}
    assert expected == recorded(telemetry)
    assert 20 == len(telemetry.spans)
    _counted(telemetry, 20, sum(len(chunks) - 1 for chunks in read))


def test_eight_threads(server, telemetry: Telemetry, openai_client):
    """The same of threads that share a client, three streams each."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    streams, expected = replies(24)
    server.reply(*streams)
    client = openai_client()

    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda _: list(CHAT.create(client)), streams))

    assert expected == {chunks[0].id: ("".join(map(_text, chunks)), len(chunks) - 2) for chunks in read}
    assert expected == recorded(telemetry)
    assert 24 == len(telemetry.spans)
    _counted(telemetry, 24, sum(len(chunks) - 1 for chunks in read))


def _text(item: Any) -> str:
    """The text of a chunk."""
    return (item.choices[0].delta.content or "") if item.choices else ""


def _counted(telemetry: Telemetry, calls: int, per_chunk: int) -> None:
    """How many records each histogram has."""
    counts = {name: sum(point.count for point in points) for name, points in telemetry.metrics.items()}
    assert {
        "gen_ai.client.operation.duration": calls,
        "gen_ai.client.token.usage": 2 * calls,
        "gen_ai.client.operation.time_to_first_chunk": calls,
        "gen_ai.client.operation.time_per_output_chunk": per_chunk,
    } == counts


def test_many_that_are_abandoned(server, telemetry: Telemetry, openai_client):
    """Threads that lose what they have half read: each call ends once, in whichever thread finds it."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply_always(CHAT.stalled())

    def lose(_number):
        client = openai_client()
        for _ in range(4):
            stream = CHAT.create(client)
            next(stream)
            stream.itself = stream
            del stream
            gc.collect()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lose, range(8)))
    gc.collect()

    assert 32 == len(telemetry.spans)
    assert {("error",)} == {span.attributes["gen_ai.response.finish_reasons"] for span in telemetry.spans}
    assert 32 == len({span.context.span_id for span in telemetry.spans})
    assert 32 == sum(point.count for point in telemetry.metrics["gen_ai.client.operation.duration"])


def test_nothing_stays(server, telemetry: Telemetry, openai_client):
    """Calls that are over, however they ended, are not kept by anything of ours."""
    from opentelemetry_instrumentation_genai._call.call import Call

    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply_always(CHAT.stalled())
    client = openai_client()

    def lose():
        for take in (0, 1, 2):
            stream = CHAT.create(client)
            for _ in range(take):
                next(stream)
            stream.close()
            CHAT.create(client)
            next(CHAT.create(client))

    lose()
    gc.collect()
    # The response and its body hold each other: a generator between them, closed by the first, leaves them to the second.
    gc.collect()

    assert 9 == len(telemetry.spans)
    assert [] == [kept for kept in gc.get_objects() if type(kept) is Call]

"""The consumer stops before the end: that is no error, and what was received until then is kept."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc

import pytest
from inline_snapshot import snapshot

from endings import APIS, CHAT, Ended, Twice, recorded_whole
from loopback import Sse, Telemetry

# Readings. Each takes an `Api`, a client and a `Seen`; `seen.note` refuses a span that was left current.


def breaks(api, client, seen):
    """The plainest of all."""
    for chunk in api.create(client):
        seen.note(chunk)
        if len(seen.chunks) == api.part:
            break


async def breaks_async(api, client, seen):
    """The same, asynchronous."""
    async for chunk in await api.create(client):
        seen.note(chunk)
        if len(seen.chunks) == api.part:
            break


def closes(api, client, seen):
    """Takes some, then closes, twice as careful people do."""
    stream = api.create(client)
    for _ in range(api.part):
        seen.note(next(stream))
    stream.close()
    stream.close()


async def closes_async(api, client, seen):
    """The same, asynchronous."""
    stream = await api.create(client)
    for _ in range(api.part):
        seen.note(await stream.__anext__())
    await stream.close()
    await stream.close()


def leaves_with(api, client, seen):
    """Returns out of `with`."""
    with api.create(client) as stream:
        for chunk in stream:
            seen.note(chunk)
            if len(seen.chunks) == api.part:
                return


async def leaves_with_async(api, client, seen):
    """The same, asynchronous."""
    async with await api.create(client) as stream:
        async for chunk in stream:
            seen.note(chunk)
            if len(seen.chunks) == api.part:
                return


def raises_in_with(api, client, seen):
    """Fails by itself while the stream is open."""
    with api.create(client) as stream:
        for chunk in stream:
            seen.note(chunk)
            if len(seen.chunks) == api.part:
                raise ValueError("the application's own")


async def raises_in_with_async(api, client, seen):
    """The same, asynchronous."""
    async with await api.create(client) as stream:
        async for chunk in stream:
            seen.note(chunk)
            if len(seen.chunks) == api.part:
                raise ValueError("the application's own")


def raises_in_loop(api, client, seen):
    """Fails by itself, and closes nothing."""
    for chunk in api.create(client):
        seen.note(chunk)
        if len(seen.chunks) == api.part:
            raise ValueError("the application's own")


async def raises_in_loop_async(api, client, seen):
    """The same, asynchronous."""
    async for chunk in await api.create(client):
        seen.note(chunk)
        if len(seen.chunks) == api.part:
            raise ValueError("the application's own")


def drops_half_read(api, client, seen):
    """Takes some by `next`, so that no loop's generator is around, and loses the stream in a cycle."""
    stream = api.create(client)
    for _ in range(api.part):
        seen.note(next(stream))
    stream.itself = stream
    del stream
    gc.collect()


async def drops_half_read_async(api, client, seen):
    """The same, asynchronous."""
    stream = await api.create(client)
    for _ in range(api.part):
        seen.note(await stream.__anext__())
    stream.itself = stream
    del stream
    gc.collect()


def abandons_generator(api, client, seen):
    """Wraps the stream in a generator of its own, as web frameworks want it, and drops that one."""

    def words():
        yield from api.create(client)

    generator = words()
    for _ in range(api.part):
        seen.note(next(generator))
    del generator
    gc.collect()


async def abandons_generator_async(api, client, seen):
    """The same, asynchronous: the event loop closes it."""

    async def words():
        async for chunk in await api.create(client):
            yield chunk

    generator = words()
    for _ in range(api.part):
        seen.note(await generator.__anext__())
    del generator
    gc.collect()


async def closes_generator_async(api, client, seen):
    """What starlette does when its client goes away."""

    async def words():
        async with await api.create(client) as stream:
            async for chunk in stream:
                yield chunk

    async with contextlib.aclosing(words()) as generator:
        for _ in range(api.part):
            seen.note(await generator.__anext__())


async def consumer_is_cancelled_async(api, client, seen):
    """Cancelled in code of its own, between two chunks: nothing that the provider or the SDK does fails."""
    reading = asyncio.Event()

    async def read():
        async with await api.create(client) as stream:
            async for chunk in stream:
                seen.note(chunk)
                if len(seen.chunks) == api.part:
                    reading.set()
                    await asyncio.Event().wait()

    task = asyncio.ensure_future(read())
    await reading.wait()
    task.cancel()
    await task


LEAVING = [
    breaks,
    breaks_async,
    closes,
    closes_async,
    leaves_with,
    leaves_with_async,
    raises_in_with,
    raises_in_with_async,
    raises_in_loop,
    raises_in_loop_async,
    drops_half_read,
    drops_half_read_async,
    abandons_generator,
    abandons_generator_async,
    closes_generator_async,
    consumer_is_cancelled_async,
]


def named(reading) -> str:
    """A parameter's name."""
    return reading.__name__


@pytest.mark.parametrize("reading", LEAVING, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_in_the_middle(twice: Twice, telemetry: Telemetry, api, reading):
    """One span without a status has what came; what the missing chunks would have had is not guessed."""
    seen = twice(api.stalled(), functools.partial(reading, api), leaves=True)

    assert api.part == len(seen.chunks)
    assert api.partly() == Ended.of(telemetry)


def closes_unread(api, client, seen):
    """Wants nothing of it."""
    api.create(client).close()


async def closes_unread_async(api, client, seen):
    """The same, asynchronous."""
    await (await api.create(client)).close()


def enters_and_leaves(api, client, seen):
    """Wants nothing of it either."""
    with api.create(client):
        pass


async def enters_and_leaves_async(api, client, seen):
    """The same, asynchronous."""
    async with await api.create(client):
        pass


@pytest.mark.parametrize(
    "reading", [closes_unread, closes_unread_async, enters_and_leaves, enters_and_leaves_async], ids=named
)
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("sent", [0, 2])
def test_before_the_first_chunk(twice: Twice, telemetry: Telemetry, api, reading, sent):
    """One span without a status, and without anything that was not read, whether or not it had come."""
    twice(api.reply(end="stall", sent=sent), functools.partial(reading, api), leaves=True)

    assert Ended() == Ended.of(telemetry)


def drops_unread(api, client, seen):
    """Forgets it at once."""
    api.create(client)


async def drops_unread_async(api, client, seen):
    """The same, asynchronous."""
    await api.create(client)


@pytest.mark.parametrize("reading", [drops_unread, drops_unread_async], ids=named)
@pytest.mark.parametrize("api", APIS)
def test_dropped_unread(twice: Twice, telemetry: Telemetry, api, reading):
    """It ends when it is collected. The SDK keeps the connection then, and so it stays."""
    twice(api.stalled(), functools.partial(reading, api), leaves=False)

    assert Ended() == Ended.of(telemetry)


def closes_and_goes_on(api, client, seen):
    """Reads on after `close()`: what comes of it is the SDK's affair."""
    stream = api.create(client)
    for chunk in stream:
        seen.note(chunk)
        if len(seen.chunks) == api.part:
            stream.close()


async def closes_and_goes_on_async(api, client, seen):
    """The same, asynchronous."""
    stream = await api.create(client)
    async for chunk in stream:
        seen.note(chunk)
        if len(seen.chunks) == api.part:
            await stream.close()


@pytest.mark.parametrize("reading", [closes_and_goes_on, closes_and_goes_on_async], ids=named)
def test_read_on_after_close(twice: Twice, telemetry: Telemetry, reading):
    """The call ended with the close; a chunk that was in a buffer, and the SDK's exception after it, come as without us."""
    # In one write, so that the chunk after the close is there in both readings.
    written = b"".join(Sse(CHAT.events[:3]).plan().pieces)

    seen = twice(Sse([written, b""], end="stall"), functools.partial(reading, CHAT), leaves=True)

    assert 3 == len(seen.chunks)
    assert CHAT.partly() == Ended.of(telemetry)


def reads_the_rest_in_another_loop(api, client, seen):
    """Comes back to a stream that a loop was left with `break`."""
    stream = api.create(client)
    for chunk in stream:
        seen.note(chunk)
        if len(seen.chunks) == api.part:
            break
    gc.collect()
    for chunk in stream:
        seen.note(chunk)


async def reads_the_rest_in_another_loop_async(api, client, seen):
    """The same, asynchronous."""
    stream = await api.create(client)
    async for chunk in stream:
        seen.note(chunk)
        if len(seen.chunks) == api.part:
            break
    gc.collect()
    await asyncio.sleep(0)
    async for chunk in stream:
        seen.note(chunk)


@pytest.mark.parametrize("reading", [reads_the_rest_in_another_loop, reads_the_rest_in_another_loop_async], ids=named)
@pytest.mark.parametrize("api", APIS)
def test_a_break_is_no_end_while_the_stream_is_held(twice: Twice, telemetry: Telemetry, api, reading):
    """Who keeps the stream after a `break` can read the rest of it, and the one span has the whole."""
    seen = twice(api.reply(), functools.partial(reading, api))

    assert len(api.events) == len(seen.chunks)
    assert api.whole() == Ended.of(telemetry)


def test_all_that_is_recorded(twice: Twice, telemetry: Telemetry):
    """All signals of a stream that was left after its second chunk."""
    twice(CHAT.stalled(), functools.partial(breaks, CHAT), leaves=True)

    assert recorded_whole(telemetry) == snapshot(
        {
            "spans": [
                {
                    "name": "chat gpt-4o-mini",
                    "kind": "CLIENT",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {
                        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
                        "gen_ai.operation.name": "chat",
                        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"onetwo"}],"finish_reason":"error"}]',
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-4o-mini",
                        "gen_ai.request.stream": True,
                        "gen_ai.response.finish_reasons": ["error"],
                        "gen_ai.response.id": "chatcmpl-1",
                        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                        "gen_ai.response.time_to_first_chunk": "<seconds>",
                        "http.response.status_code": 200,
                        "openai.api.type": "chat_completions",
                        "server.address": "127.0.0.1",
                        "server.port": "<port>",
                    },
                    "events": [],
                    "parent": None,
                    "scope": "opentelemetry_instrumentation_genai",
                }
            ],
            "points": {
                "gen_ai.client.operation.duration": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
                "gen_ai.client.operation.time_per_output_chunk": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
                "gen_ai.client.operation.time_to_first_chunk": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
            },
            "events": [],
        }
    )

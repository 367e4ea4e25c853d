"""Tasks that are cancelled, or run out of time, while they wait for the provider."""

from __future__ import annotations

import asyncio
import functools

import pytest

from endings import APIS, CHAT, DIFFERENT_APIS, Ended, Twice, until
from loopback import Hang, Telemetry
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

CANCELLED = {"status": "ERROR", "error": "asyncio.exceptions.CancelledError"}


async def read_all(api, client, seen):
    """Reads as long as there is something."""
    async for item in await api.create(client):
        seen.note(item)


async def settled():
    """The reader has taken what came, and waits."""
    for _ in range(20):
        await asyncio.sleep(0.001)


async def is_cancelled(api, client, seen, server, count):
    """Cancelled from outside when `count` chunks have come."""
    before = len(server.requests)
    task = asyncio.ensure_future(read_all(api, client, seen))
    await until(lambda: len(server.requests) > before and len(seen.chunks) == count)
    await settled()
    task.cancel("enough")
    await task


async def has_no_time(api, client, seen, server, count):
    """Not waited for any longer before there is a response."""
    try:
        await asyncio.wait_for(read_all(api, client, seen), timeout=0.25)
    except asyncio.TimeoutError:
        seen.note("too late")


async def runs_out_of_time(api, client, seen, server, count):
    """Not waited for any longer when `count` chunks have come."""
    try:
        stream = await api.create(client)
        for _ in range(count):
            seen.note(await anext(stream))
        # From here on nothing comes, however long it took until here.
        await asyncio.wait_for(read_rest(stream, seen), timeout=0.02)
    except asyncio.TimeoutError:
        seen.note("too late")


async def read_rest(stream, seen):
    """Reads on."""
    async for item in stream:
        seen.note(item)


def named(reading) -> str:
    """A parameter's name."""
    return reading.__name__


@pytest.mark.parametrize("reading", [is_cancelled, has_no_time], ids=named)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_before_the_response(twice: Twice, telemetry: Telemetry, server, api, reading):
    """The provider has not answered yet: an error, and the exception goes on as it was."""
    seen = twice(Hang(), bound(reading, api, server, 0), leaves=True)

    assert outcome(reading) == (seen.chunks, seen.raised and seen.raised[0])
    assert Ended(**CANCELLED) == Ended.of(telemetry)
    assert "http.response.status_code" not in telemetry.span.attributes


@pytest.mark.parametrize("reading", [is_cancelled, runs_out_of_time], ids=named)
@pytest.mark.parametrize("api", APIS)
def test_before_the_first_chunk(twice: Twice, telemetry: Telemetry, server, api, reading):
    """There were headers and nothing else."""
    seen = twice(api.reply(end="stall", sent=0), bound(reading, api, server, 0), leaves=True)

    assert outcome(reading) == (seen.chunks, seen.raised and seen.raised[0])
    assert Ended(**CANCELLED) == Ended.of(telemetry)
    assert 200 == telemetry.span.attributes["http.response.status_code"]


@pytest.mark.parametrize("reading", [is_cancelled, runs_out_of_time], ids=named)
@pytest.mark.parametrize("api", APIS)
def test_in_the_middle(twice: Twice, telemetry: Telemetry, server, api, reading):
    """What was received is kept."""
    seen = twice(api.reply(end="stall", sent=api.part), bound(reading, api, server, api.part), leaves=True)

    assert api.part == len([item for item in seen.chunks if item != "too late"])
    assert api.partly(**CANCELLED) == Ended.of(telemetry)


def bound(reading, api, server, count):
    """The reading of a client and a `Seen`."""

    @functools.wraps(reading)
    async def with_the_rest(client, seen):
        await reading(api, client, seen, server, count)

    return with_the_rest


def outcome(reading):
    """What is seen of a reading that got no chunk."""
    return ([], "asyncio.exceptions.CancelledError") if reading is is_cancelled else (["too late"], None)


def test_a_cancelled_group(twice: Twice, telemetry: Telemetry, server):
    """A task group that fails cancels the readers in it, each of which ends by itself."""

    async def read(client, seen):
        first, second = asyncio.Event(), asyncio.Event()

        async def follow(event):
            async for _ in await CHAT.create(client):
                event.set()

        async def fail():
            await first.wait()
            await second.wait()
            raise ValueError("another one failed")

        tasks = [asyncio.ensure_future(follow(first)), asyncio.ensure_future(follow(second))]
        try:
            await fail()
        finally:
            for task in tasks:
                task.cancel()
            seen.note([type(result).__name__ for result in await asyncio.gather(*tasks, return_exceptions=True)])

    # One reply more than the readings take by themselves.
    server.reply_always(CHAT.reply(end="stall", sent=1))
    seen = twice(CHAT.reply(end="stall", sent=1), read)

    assert [["CancelledError", "CancelledError"]] == seen.chunks
    assert ["asyncio.exceptions.CancelledError"] * 2 == [span.attributes["error.type"] for span in telemetry.spans]
    assert 2 == sum(point.count for point in telemetry.metrics["gen_ai.client.operation.duration"])


@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_cancelled_and_read_on(twice: Twice, telemetry: Telemetry, api):
    """A step that was cancelled ends the call, whatever the SDK makes of the next one."""

    async def read(client, seen):
        stream = await api.create(client)
        for _ in range(api.part):
            seen.note(await anext(stream))
        try:
            await asyncio.wait_for(anext(stream), timeout=0.05)
        except asyncio.TimeoutError:
            seen.note("too late")
        seen.note(await anext(stream, "nothing"))

    seen = twice(api.reply(end="stall", sent=api.part), read, leaves=True)

    assert ["too late", "nothing"] == seen.chunks[api.part :]
    assert api.partly(**CANCELLED) == Ended.of(telemetry)


async def test_a_coroutine_that_is_never_awaited(server, telemetry: Telemetry, async_openai_client):
    """Python warns that the SDK's coroutine was never awaited; there was no call, and there is no span."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    never = [CHAT.create(async_openai_client())]

    with pytest.warns(RuntimeWarning, match="was never awaited"):
        never.clear()

    assert ([], [], {}) == (server.requests, telemetry.spans, telemetry.metrics)


async def test_a_coroutine_that_is_closed(server, telemetry: Telemetry, async_openai_client):
    """Whoever drives coroutines by hand and gives one up: the call ends, and no context is left behind."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Hang())
    coroutine = CHAT.create(async_openai_client())
    coroutine.send(None)

    coroutine.close()

    assert ["chat gpt-4o-mini"] == [span.name for span in telemetry.spans]
    assert 1 == sum(point.count for point in telemetry.metrics["gen_ai.client.operation.duration"])


def test_a_loop_that_is_closed_with_a_call_in_it(server, telemetry: Telemetry):
    """`asyncio.run` cancels what still runs when the main coroutine returns."""
    from openai import AsyncOpenAI

    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Hang())

    async def main():
        client = AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
        task = asyncio.ensure_future(CHAT.create(client))
        await until(lambda: server.requests)
        return task

    task = asyncio.run(main())

    assert task.cancelled()
    assert Ended(**CANCELLED) == Ended.of(telemetry)

"""Streams that are read, or lost, in another place than they were made in: threads, tasks, event loops."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import trace

from endings import CHAT_AND_RESPONSES, DIFFERENT_APIS, GLANCE, Ended, Seen, Twice, collected, described, until
from loopback import ModelServer, Telemetry
from opentelemetry_instrumentation_genai import OpenAIInstrumentor


@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_read_in_another_thread(twice: Twice, telemetry: Telemetry, api):
    """What web servers do with a synchronous stream: each chunk is read by whichever thread is free."""

    def read(client, seen):
        stream = api.create(client)
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
            for number in range(len(api.events)):
                (one, other)[number % 2].submit(lambda: seen.note(next(stream))).result()
            one.submit(lambda: seen.note(next(stream, "nothing"))).result()

    twice(api.reply(), read)

    assert api.whole() == Ended.of(telemetry)


@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_closed_in_another_thread(twice: Twice, telemetry: Telemetry, api):
    """One reads, and another one closes between two chunks."""

    def read(client, seen):
        stream = api.create(client)
        for _ in range(api.part):
            seen.note(next(stream))
        closing = threading.Thread(target=stream.close)
        closing.start()
        closing.join()

    twice(api.stalled(), read, leaves=True)

    assert api.partly() == Ended.of(telemetry)


def _waits(thread: threading.Thread) -> bool:
    """Whether a thread waits for the HTTP connection."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and "httpcore" in frame.f_code.co_filename


@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_closed_while_another_thread_waits(twice: Twice, telemetry: Telemetry, server: ModelServer, api):
    """A stop button: the thread that waits gets an exception of the HTTP client, and the call was left, which is no error.

    It ends with the close: who waits may do so for long.
    """
    ended_with_the_close = []

    def read(client, seen):
        stream = api.create(client)
        noted: list[str] = []

        def wait():
            try:
                noted.extend("chunk" for _ in stream)
            except Exception as error:
                noted.append(described(error))

        waiting = threading.Thread(target=wait)
        waiting.start()
        while waiting.is_alive() and not (len(noted) == api.part and _waits(waiting)):
            time.sleep(GLANCE)
        stream.close()
        ended_with_the_close.append(len(telemetry.spans))
        server.release()
        waiting.join()
        for item in noted:
            seen.note(item)
        server.reset()

    seen = twice(api.reply(end="stall", sent=api.part), read)

    assert ["chunk"] * api.part == seen.chunks[:-1]
    assert "ReadError" in seen.chunks[-1][0] or "APIConnectionError" in seen.chunks[-1][0]
    assert [0, 1] == ended_with_the_close
    assert api.partly() == Ended.of(telemetry)


@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_collected_in_another_thread(twice: Twice, telemetry: Telemetry, api):
    """A stream in a cycle is found by whichever thread happens to collect."""

    def read(client, seen):
        stream = api.create(client)
        for _ in range(api.part):
            seen.note(next(stream))
        stream.itself = stream
        del stream
        collecting = threading.Thread(target=gc.collect)
        collecting.start()
        collecting.join()

    twice(api.stalled(), read, leaves=True)

    assert api.partly() == Ended.of(telemetry)


@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_read_in_another_task(twice: Twice, telemetry: Telemetry, api):
    """Made in one task, read by several others in turn, each in a context of its own."""

    async def read(client, seen):
        stream = await asyncio.ensure_future(_made(api, client))
        for _ in api.events:
            seen.note(await asyncio.ensure_future(_one(stream)))
        seen.note(await asyncio.ensure_future(_one(stream)))

    async def _made(api, client):
        return await api.create(client)

    async def _one(stream):
        return await anext(stream, "nothing")

    twice(api.reply(), read)

    assert api.whole() == Ended.of(telemetry)


@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_closed_in_another_task(twice: Twice, telemetry: Telemetry, api):
    """Half read in one task, closed by another."""

    async def read(client, seen):
        async def some():
            stream = await api.create(client)
            for _ in range(api.part):
                seen.note(await anext(stream))
            return stream

        stream = await asyncio.ensure_future(some())
        await asyncio.ensure_future(stream.close())

    twice(api.stalled(), read, leaves=True)

    assert api.partly() == Ended.of(telemetry)


@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_closed_while_another_task_waits(twice: Twice, telemetry: Telemetry, api):
    """The SDK raises whatever exception it has for that; the application has left, as with threads."""

    async def read(client, seen):
        stream = await api.create(client)

        async def follow():
            async for item in stream:
                seen.note(item)

        following = asyncio.ensure_future(follow())
        await until(lambda: len(seen.chunks) == api.part)
        await stream.close()
        await following

    seen = twice(api.reply(end="stall", sent=api.part), read, leaves=True)

    assert seen.raised
    assert api.partly() == Ended.of(telemetry)


@pytest.mark.parametrize("ends", ["closed", "cancelled"])
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_closed_by_a_generator_of_the_application(twice: Twice, telemetry: Telemetry, api, ends):
    """A generator between a task that reads and a client of the application closes the stream when that client has gone: this is leaving."""

    async def read(client, seen):
        stream = await api.create(client)
        queue: asyncio.Queue[object] = asyncio.Queue()

        async def fill():
            async for item in stream:
                queue.put_nowait(item)

        async def made():
            try:
                while True:
                    yield await queue.get()
            finally:
                await stream.close()

        async def written():
            async for item in response:
                seen.note(item)

        filling = asyncio.ensure_future(fill())
        response = made()
        if ends == "cancelled":
            writing = asyncio.ensure_future(written())
            await until(lambda: len(seen.chunks) == api.part)
            writing.cancel()
            await asyncio.wait([writing])
        else:
            for _ in range(api.part):
                seen.note(await anext(response))
        await response.aclose()
        await filling

    seen = twice(api.reply(end="stall", sent=api.part), read, leaves=True)

    assert seen.raised
    assert api.partly() == Ended.of(telemetry)


@pytest.mark.parametrize("api", CHAT_AND_RESPONSES)
async def test_two_tasks_at_once(server, telemetry: Telemetry, async_openai_client, api):
    """A second reader beside one that waits is refused by Python, as without us; the first one's call goes on."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(api.reply(end="stall", sent=api.part))
    stream = await api.create(async_openai_client())
    seen = Seen()

    async def follow():
        async for item in stream:
            seen.note(item)

    following = asyncio.ensure_future(follow())
    await until(lambda: len(seen.chunks) == api.part)
    with pytest.raises(RuntimeError, match="asynchronous generator is already running"):
        await anext(stream)
    server.release()
    await following

    assert len(api.events) == len(seen.chunks)
    assert api.whole() == Ended.of(telemetry)


@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_a_generator_in_another_task(twice: Twice, telemetry: Telemetry, api):
    """An asynchronous generator that holds the stream, stepped in one task and closed in another."""

    async def read(client, seen):
        async def words():
            async with await api.create(client) as stream:
                async for item in stream:
                    yield item

        async def some(generator):
            for _ in range(api.part):
                seen.note(await anext(generator))

        generator = words()
        await asyncio.ensure_future(some(generator))
        await asyncio.ensure_future(generator.aclose())

    twice(api.stalled(), read, leaves=True)

    assert api.partly() == Ended.of(telemetry)


# What the event loop leaves open when it is closed under a connection, with and without us.
unclosed = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@unclosed
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("taken", ["some", "none"])
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_the_loop_is_closed(server, telemetry: Telemetry, api, taken):
    """`asyncio.run` ends while a stream is held that nobody closed; it ends when it is lost, at the latest."""
    api.sdk.instrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(api.stalled())

    async def main():
        client = api.sdk.open_async(server)
        stream = await api.create(client)
        for _ in range(api.part if taken == "some" else 0):
            await anext(stream)
        return client, stream

    left = asyncio.run(main())
    del left
    gc.collect()

    assert (api.partly() if taken == "some" else Ended()) == Ended.of(telemetry)


@pytest.mark.parametrize("api", CHAT_AND_RESPONSES)
def test_two_streams_in_turns(server, telemetry: Telemetry, openai_client, api):
    """Two streams of one client, read chunk by chunk in turns: each has its own, and neither is the other's parent."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(api.reply(), api.reply())
    client = openai_client()

    with api.create(client) as one, api.create(client) as other:
        for _ in zip(one, other, strict=True):
            assert not trace.get_current_span().get_span_context().is_valid

    assert [(f"chat {api.body['model']}", None)] * 2 == [(span.name, span.parent) for span in telemetry.spans]
    texts = [span.attributes["gen_ai.output.messages"] for span in telemetry.spans]
    assert texts[0] == texts[1]
    assert "onetwothree" in texts[0]


async def test_a_call_between_two_chunks(server, telemetry: Telemetry, async_openai_client):
    """A call that the application makes in the loop over another one's chunks is a call of its own, not part of that."""
    api = CHAT_AND_RESPONSES[0].values[0]
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(*[api.reply()] * (len(api.events) + 1))
    client = async_openai_client()

    async for _ in await api.create(client):
        async with await api.create(client) as inner:
            await anext(inner)
    await collected()

    assert [None] * 6 == [span.parent for span in telemetry.spans]
    assert ["error"] * 3 == [
        reason for span in telemetry.spans[:3] for reason in span.attributes["gen_ai.response.finish_reasons"]
    ]
    assert ("stop",) == telemetry.spans[5].attributes["gen_ai.response.finish_reasons"]

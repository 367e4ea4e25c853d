"""Streams that end in every way, sync and async: one span each, which says how, and an application that sees no difference."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import threading

import ollama
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

from endings import Ended
from loopback import Hang, Telemetry, Text
from ollama_endings import LINES, MODEL, Twice, chat, line, partly, stream, whole
from opentelemetry_instrumentation_genai import OllamaInstrumentor

READ = 2
STALLED = {"end": "stall", "sent": 3}


def reads(client, seen):
    """To its end."""
    for chunk in chat(client):
        seen.note(chunk)


async def reads_async(client, seen):
    """The same, asynchronous."""
    async for chunk in await chat(client):
        seen.note(chunk)


def reads_by_next(client, seen):
    """Step by step, and twice more after the end."""
    made = chat(client)
    for _ in range(6):
        seen.note(next(made, "over"))


async def reads_by_next_async(client, seen):
    """The same, asynchronous."""
    made = await chat(client)
    for _ in range(6):
        seen.note(await anext(made, "over"))


def sends(client, seen):
    """By the generator's own method; what is sent is ignored."""
    made = chat(client)
    seen.note(made.send(None))
    seen.note(made.send("something"))
    for chunk in made:
        seen.note(chunk)


async def sends_async(client, seen):
    """The same, asynchronous."""
    made = await chat(client)
    seen.note(await made.asend(None))
    seen.note(await made.asend("something"))
    async for chunk in made:
        seen.note(chunk)


def delegates(client, seen):
    """From a generator of its own."""

    def words():
        yield from chat(client)

    for chunk in words():
        seen.note(chunk)


def sends_too_early(client, seen):
    """Which Python refuses, and the generator is as it was."""
    made = chat(client)
    with pytest.raises(TypeError):
        made.send("something")
    for chunk in chat(client):
        seen.note(chunk)


async def sends_too_early_async(client, seen):
    """The same, asynchronous."""
    made = await chat(client)
    with pytest.raises(TypeError):
        await made.asend("something")
    async for chunk in made:
        seen.note(chunk)


def breaks_when_done(client, seen):
    """Looks for the last chunk itself, and asks for no more."""
    for chunk in chat(client):
        seen.note(chunk)
        if chunk.done:
            break


async def breaks_when_done_async(client, seen):
    """The same, asynchronous."""
    async for chunk in await chat(client):
        seen.note(chunk)
        if chunk.done:
            break


@pytest.mark.parametrize(
    "reading",
    [
        breaks_when_done,
        breaks_when_done_async,
        reads,
        reads_async,
        reads_by_next,
        reads_by_next_async,
        sends,
        sends_async,
        delegates,
        sends_too_early,
        sends_too_early_async,
    ],
)
def test_read_to_the_end(twice: Twice, telemetry: Telemetry, reading):
    """All of it is recorded, and no status is set."""
    twice(stream(), reading)

    assert whole() == Ended.of(telemetry)


def breaks(client, seen):
    """The plainest of all."""
    for chunk in chat(client):
        seen.note(chunk)
        if len(seen.chunks) == READ:
            break


async def breaks_async(client, seen):
    """The same, asynchronous."""
    async for chunk in await chat(client):
        seen.note(chunk)
        if len(seen.chunks) == READ:
            break


def closes(client, seen):
    """Twice, as careful people do, and looks again; all the time it is held."""
    made = chat(client)
    for _ in range(READ):
        seen.note(next(made))
    made.close()
    made.close()
    seen.note(next(made, "over"))


async def closes_async(client, seen):
    """The same, asynchronous."""
    made = await chat(client)
    for _ in range(READ):
        seen.note(await anext(made))
    await made.aclose()
    await made.aclose()
    seen.note(await anext(made, "over"))


def leaves_with(client, seen):
    """Returns out of `with`."""
    with contextlib.closing(chat(client)) as made:
        for chunk in made:
            seen.note(chunk)
            if len(seen.chunks) == READ:
                return


async def leaves_with_async(client, seen):
    """The same, asynchronous."""
    async with contextlib.aclosing(await chat(client)) as made:
        async for chunk in made:
            seen.note(chunk)
            if len(seen.chunks) == READ:
                return


def raises_in_loop(client, seen):
    """Fails by itself, and closes nothing."""
    for chunk in chat(client):
        seen.note(chunk)
        if len(seen.chunks) == READ:
            raise ValueError("the application's own")


async def raises_in_loop_async(client, seen):
    """The same, asynchronous."""
    async for chunk in await chat(client):
        seen.note(chunk)
        if len(seen.chunks) == READ:
            raise ValueError("the application's own")


def throws(client, seen):
    """Throws an error of its own into the generator."""
    made = chat(client)
    for _ in range(READ):
        seen.note(next(made))
    made.throw(ValueError("the application's own"))


async def throws_async(client, seen):
    """The same, asynchronous."""
    made = await chat(client)
    for _ in range(READ):
        seen.note(await anext(made))
    await made.athrow(ValueError("the application's own"))


def throws_at_once(client, seen):
    """After the first chunk, and holds the traceback: the response is closed all the same."""
    made = chat(client)
    seen.note(next(made))
    seen.note(next(made))
    seen.note(made.gi_frame is not None)
    with contextlib.suppress(KeyError):
        made.throw(KeyError("the application's own"))
    seen.note(made.gi_frame is None)


def drops_half_read(client, seen):
    """Loses the stream in a cycle."""
    made = chat(client)
    for _ in range(READ):
        seen.note(next(made))
    cycle = [made]
    cycle.append(cycle)
    del made, cycle
    gc.collect()


async def drops_half_read_async(client, seen):
    """The same, asynchronous."""
    made = await chat(client)
    for _ in range(READ):
        seen.note(await anext(made))
    cycle = [made]
    cycle.append(cycle)
    del made, cycle
    gc.collect()


def abandons_generator(client, seen):
    """Wraps the stream in a generator of its own, as web frameworks want it, and drops that one."""

    def words():
        yield from chat(client)

    generator = words()
    for _ in range(READ):
        seen.note(next(generator))
    del generator
    gc.collect()


async def abandons_generator_async(client, seen):
    """The same, asynchronous: the event loop closes it."""

    async def words():
        async for chunk in await chat(client):
            yield chunk

    generator = words()
    for _ in range(READ):
        seen.note(await anext(generator))
    del generator
    gc.collect()


async def closes_generator_async(client, seen):
    """What starlette does when its client goes away."""

    async def words():
        async with contextlib.aclosing(await chat(client)) as made:
            async for chunk in made:
                yield chunk

    async with contextlib.aclosing(words()) as generator:
        for _ in range(READ):
            seen.note(await anext(generator))


async def consumer_is_cancelled_async(client, seen):
    """Cancelled in code of its own, between two chunks: nothing that the server or the SDK does fails."""
    reading = asyncio.Event()

    async def read():
        async for chunk in await chat(client):
            seen.note(chunk)
            if len(seen.chunks) == READ:
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
    raises_in_loop,
    raises_in_loop_async,
    throws,
    throws_async,
    throws_at_once,
    drops_half_read,
    drops_half_read_async,
    abandons_generator,
    abandons_generator_async,
    closes_generator_async,
    consumer_is_cancelled_async,
]


@pytest.mark.parametrize("reading", LEAVING)
def test_left_early(twice: Twice, telemetry: Telemetry, reading):
    """That is no error; the server sees the client leave at once, what was received is kept, asyncio says no word more."""
    twice(stream(**STALLED), reading, leaves=True)

    assert partly() == Ended.of(telemetry)


def never_starts(client, seen):
    """Drops the generator as it is."""
    made = chat(client)
    seen.note(inspect.isgenerator(made))
    del made
    gc.collect()


async def never_starts_async(client, seen):
    """The same, asynchronous."""
    made = await chat(client)
    seen.note(inspect.isasyncgen(made))
    del made
    gc.collect()


def closes_unread(client, seen):
    """Closes it as it is, and looks."""
    made = chat(client)
    made.close()
    seen.note(next(made, "over"))


async def closes_unread_async(client, seen):
    """The same, asynchronous."""
    made = await chat(client)
    await made.aclose()
    seen.note(await anext(made, "over"))


def throws_unread(client, seen):
    """Throws into it as it is."""
    chat(client).throw(ValueError("the application's own"))


async def throws_unread_async(client, seen):
    """The same, asynchronous."""
    await (await chat(client)).athrow(ValueError("the application's own"))


@pytest.mark.parametrize(
    "reading",
    [never_starts, never_starts_async, closes_unread, closes_unread_async, throws_unread, throws_unread_async],
)
def test_never_started(twice: Twice, telemetry: Telemetry, server, reading):
    """Nothing was sent: there is no call, and no span."""
    twice(None, reading)

    assert [] == server.requests
    assert ([], {}, []) == (telemetry.spans, telemetry.metrics, telemetry.events)


RESPONSE_ERROR, CUT = "ollama._types.ResponseError", "httpx.RemoteProtocolError"
FAILING = {
    "an error line": (stream(line("one"), line("two"), {"error": "the model ran away"}), RESPONSE_ERROR),
    "a cut connection": (stream(end="cut", sent=2), CUT),
    "a line that is no JSON": (stream(line("one"), line("two"), "<html>"), "json.decoder.JSONDecodeError"),
}


@pytest.mark.parametrize("reading", [reads, reads_async])
@pytest.mark.parametrize("failing", FAILING)
def test_fails_in_the_middle(twice: Twice, telemetry: Telemetry, failing, reading):
    """The SDK raises, and the application gets what it raises; what was received before is kept."""
    reply, error = FAILING[failing]

    seen = twice(reply, reading)

    assert error == seen.raised[0]
    assert partly(status="ERROR", error=error) == Ended.of(telemetry)
    assert "http.response.status_code" not in telemetry.span.attributes


def test_an_error_line_without_content(server, telemetry: Telemetry, client):
    """It has no status of its own, and what it says may quote the prompt."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(FAILING["an error line"][0])

    with pytest.raises(ollama.ResponseError):
        list(chat(client))

    assert "ResponseError" == telemetry.span.status.description


@pytest.mark.parametrize("reading", [reads, reads_async])
def test_refused(twice: Twice, telemetry: Telemetry, reading):
    """A stream that the server refuses is an error with its status."""
    twice(Text('{"error":"model not found"}', "application/json", 404), reading)

    assert Ended("ERROR", RESPONSE_ERROR) == Ended.of(telemetry)
    assert 404 == telemetry.span.attributes["http.response.status_code"]


@pytest.mark.parametrize("reading", [reads, reads_async])
def test_ends_too_soon(twice: Twice, telemetry: Telemetry, reading):
    """A body that ends cleanly without its last line is no error of anybody; its reason never came."""
    twice(stream(end="early", sent=2), reading)

    assert partly() == Ended.of(telemetry)


@pytest.mark.parametrize("reading", [reads, reads_async])
def test_empty(twice: Twice, telemetry: Telemetry, reading):
    """Of a body without a line only the request is recorded."""
    twice(Text("", "application/x-ndjson"), reading)

    assert Ended() == Ended.of(telemetry)


CANCELLED = {"status": "ERROR", "error": "asyncio.exceptions.CancelledError"}


async def is_cancelled(client, seen, server, count):
    """By its task, while it waits for a chunk."""

    async def read():
        async for chunk in await chat(client):
            seen.note(chunk)

    task = asyncio.ensure_future(read())
    while len(seen.chunks) < count or not server.requests:
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.02)
    task.cancel()
    await task


async def is_too_late(client, seen, server, count):
    """By `wait_for`."""
    made = await chat(client)
    for _ in range(count):
        seen.note(await anext(made))
    try:
        await asyncio.wait_for(anext(made), 0.1)
    except asyncio.TimeoutError:
        seen.note("too late")


@pytest.mark.parametrize("reading", [is_cancelled, is_too_late])
@pytest.mark.parametrize("count", [0, READ])
def test_cancelled(twice: Twice, telemetry: Telemetry, server, reading, count):
    """While the SDK waits for a chunk, the first one or a later one: an error of that name."""

    @functools.wraps(reading)
    async def bound(client, seen):
        await reading(client, seen, server, count)

    twice(stream(end="stall", sent=READ) if count else Hang(), bound, leaves=True)

    assert (partly(**CANCELLED) if count else Ended(**CANCELLED)) == Ended.of(telemetry)


def test_read_in_other_threads(twice: Twice, telemetry: Telemetry):
    """Made here, begun in one thread, read on in another."""

    def read(client, seen):
        made = chat(client)
        for count in (1, len(LINES)):

            def take(count=count):
                for _ in range(count):
                    seen.note(next(made, "over"))

            thread = threading.Thread(target=take)
            thread.start()
            thread.join()

    twice(stream(), read)

    assert whole() == Ended.of(telemetry)


def test_read_in_other_tasks(twice: Twice, telemetry: Telemetry):
    """The same, in tasks of their own contexts."""

    async def read(client, seen):
        made = await asyncio.ensure_future(chat(client))
        for _ in range(len(LINES) + 1):
            seen.note(await asyncio.ensure_future(asyncio.wait_for(anext(made, "over"), 5)))

    twice(stream(), read)

    assert whole() == Ended.of(telemetry)


def test_two_readers(twice: Twice, telemetry: Telemetry):
    """Python refuses a second reader beside one that waits, and the first reads on."""

    async def read(client, seen):
        made = await chat(client)
        first = asyncio.ensure_future(asyncio.wait_for(anext(made), 5))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await anext(made)
        seen.note(await first)
        async for chunk in made:
            seen.note(chunk)

    twice(stream(delay=0.05), read)

    assert whole() == Ended.of(telemetry)


def test_closing_beside_a_reader(twice: Twice, telemetry: Telemetry):
    """Python refuses that too, and the call goes on."""

    async def read(client, seen):
        made = await chat(client)
        seen.note(await anext(made))
        waiting = asyncio.ensure_future(asyncio.wait_for(anext(made), 5))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await made.aclose()
        seen.note(await waiting)
        async for chunk in made:
            seen.note(chunk)

    twice(stream(delay=0.05), read)

    assert whole() == Ended.of(telemetry)


async def test_an_event_loop_that_ends_first(server, telemetry: Telemetry, async_client):
    """It closes the SDK's generator, and may say that those within collide; the call ends when nobody holds the stream."""
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(stream(**STALLED))
    held = await chat(async_client)
    for _ in range(READ):
        await anext(held)

    await asyncio.get_running_loop().shutdown_asyncgens()
    assert [] == telemetry.spans
    del held
    gc.collect()

    assert partly() == Ended.of(telemetry)


def test_the_span_is_current_while_the_request_is_made(server, telemetry: Telemetry, client):
    """HTTP spans nest below it; the application's own span is current in between."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(stream())
    current = []
    client._client.event_hooks = {"request": [lambda _: current.append(trace.get_current_span())]}
    tracer = telemetry.tracer_provider.get_tracer("application")

    with tracer.start_as_current_span("mine") as mine:
        for _ in chat(client):
            assert mine is trace.get_current_span()

    call, parent = telemetry.spans
    assert [call.context.span_id] == [span.get_span_context().span_id for span in current]
    assert parent.context.span_id == call.parent.span_id


@pytest.mark.parametrize("when", ["called", "read"])
def test_someone_else_reports_it(server, telemetry: Telemetry, client, when):
    """Whether they say so as it is called or as it is first read: there is no span of ours."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(stream())
    quiet = {"called": contextlib.nullcontext, "read": contextlib.nullcontext, when: suppress_instrumentation}

    with quiet["called"]():
        made = chat(client)
    with quiet["read"]():
        assert len(LINES) == len(list(made))

    assert [] == telemetry.spans


async def test_a_stream_made_before_uninstrumenting(server, telemetry: Telemetry, client, async_client):
    """One that is first read afterwards is not followed, and is read as ever."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(stream(), stream())
    made, made_async = chat(client), await chat(async_client)
    OllamaInstrumentor().uninstrument()

    assert len(LINES) == len(list(made))
    assert len(LINES) == len([chunk async for chunk in made_async])
    assert [] == telemetry.spans


def test_the_generate_stream_is_recorded(server, telemetry: Telemetry, client):
    """Left in the middle, as a chat is."""
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(stream(*({"model": MODEL, "response": word, "done": False} for word in ("one", "two", "three"))))
    made = client.generate(model=MODEL, prompt="Hi", stream=True)

    next(made)
    next(made)
    made.close()

    assert partly() == Ended.of(telemetry)

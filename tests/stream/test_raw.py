"""Raw responses: parsed later or never, read as lines, text or bytes, in part or wholly, or not at all."""

from __future__ import annotations

import functools
import gc
import zlib

import pytest

from endings import APIS, CHAT, DIFFERENT_APIS, Ended, Twice
from loopback import Json, Sse, Telemetry
from loopback.anthropic_bodies import message, text
from loopback.openai_bodies import completion, response

GZIP = pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])


def named(reading) -> str:
    """A parameter's name."""
    return reading.__name__


# `with_raw_response`: a stream is still to be read.


async def parsed(raw):
    """`parse()` of an asynchronous client, which is a coroutine in some versions only."""
    made = raw.parse()
    return await made if hasattr(made, "__await__") else made


def parses(api, client, seen):
    """The stream that `parse()` makes."""
    raw = api.called(client, "with_raw_response")(**api.body, stream=True)
    seen.note(raw.headers["content-type"])
    for item in raw.parse():
        seen.note(item)


async def parses_async(api, client, seen):
    """The same, asynchronous."""
    raw = await api.called(client, "with_raw_response")(**api.body, stream=True)
    seen.note(raw.headers["content-type"])
    async for item in await parsed(raw):
        seen.note(item)


def parses_twice(api, client, seen):
    """The SDK makes one stream of it, however often it is asked."""
    raw = api.called(client, "with_raw_response")(**api.body, stream=True)
    one, other = raw.parse(), raw.parse()
    seen.note(one is other)
    seen.note(next(one))
    for item in other:
        seen.note(item)


async def parses_twice_async(api, client, seen):
    """The same, asynchronous."""
    raw = await api.called(client, "with_raw_response")(**api.body, stream=True)
    one, other = await parsed(raw), await parsed(raw)
    seen.note(one is other)
    seen.note(await anext(one))
    async for item in other:
        seen.note(item)


@GZIP
@pytest.mark.parametrize("reading", [parses, parses_async, parses_twice, parses_twice_async], ids=named)
@pytest.mark.parametrize("api", APIS)
def test_parsed(twice: Twice, telemetry: Telemetry, api, reading, gzip):
    """As if `create` had returned the stream."""
    seen = twice(api.reply(gzip=gzip), functools.partial(reading, api))

    assert 1 + len(api.events) == len(seen.chunks)
    assert api.whole() == Ended.of(telemetry)


def makes_two_streams(api, client, seen):
    """A second stream of another type, made by `parse(to=...)`: only one of them can be read."""
    from openai import Stream
    from openai.types.chat import ChatCompletionChunk

    raw = api.called(client, "with_raw_response")(**api.body, stream=True)
    one = raw.parse()
    other = raw.parse(to=Stream[ChatCompletionChunk])
    seen.note(one is other)
    del one
    gc.collect()
    for item in other:
        seen.note(item)


def test_parsed_to_another_type(twice: Twice, telemetry: Telemetry):
    """The stream that is read counts, and the one that is dropped ends nothing."""
    seen = twice(CHAT.reply(), functools.partial(makes_two_streams, CHAT))

    assert len(CHAT.events) == len(seen.chunks) - 1, seen.raised
    assert CHAT.whole() == Ended.of(telemetry)


def reads_two_streams(api, client, seen):
    """Begins with both; the HTTP client allows that for one of them only."""
    from openai import Stream
    from openai.types.chat import ChatCompletionChunk

    raw = api.called(client, "with_raw_response")(**api.body, stream=True)
    one, other = raw.parse(), raw.parse(to=Stream[ChatCompletionChunk])
    seen.note(next(one))
    next(other)


def test_two_readers(twice: Twice, telemetry: Telemetry):
    """Whatever becomes of it is as it is without us, and there is one span."""
    seen = twice(CHAT.reply(), functools.partial(reads_two_streams, CHAT))

    assert seen.raised[0].endswith(".StreamConsumed")
    assert ["one"] == [item["choices"][0]["delta"]["content"] for item in seen.chunks]
    assert 1 == len(telemetry.spans)
    assert 1 == sum(point.count for point in telemetry.metrics["gen_ai.client.operation.duration"])


def never_parses(api, client, seen):
    """Wants the headers only."""
    seen.note(api.called(client, "with_raw_response")(**api.body, stream=True).headers["content-type"])


async def never_parses_async(api, client, seen):
    """The same, asynchronous."""
    raw = await api.called(client, "with_raw_response")(**api.body, stream=True)
    seen.note(raw.headers["content-type"])


def never_reads(api, client, seen):
    """Parses, and then wants nothing of it."""
    api.called(client, "with_raw_response")(**api.body, stream=True).parse()


async def never_reads_async(api, client, seen):
    """The same, asynchronous."""
    await parsed(await api.called(client, "with_raw_response")(**api.body, stream=True))


@pytest.mark.parametrize("reading", [never_parses, never_parses_async, never_reads, never_reads_async], ids=named)
@pytest.mark.parametrize("api", APIS)
def test_never_read(twice: Twice, telemetry: Telemetry, api, reading):
    """It ends when it is collected, with what was asked."""
    twice(api.stalled(), functools.partial(reading, api), leaves=False)

    assert Ended() == Ended.of(telemetry)


# `with_streaming_response`: nothing of the body is read yet.


def streaming(api, client, **more):
    """The context manager around the response."""
    return api.called(client, "with_streaming_response")(**{**api.body, "stream": True, **more})


def reads_lines(raw, seen):
    """Line by line, as proxies do."""
    for line in raw.iter_lines():
        seen.note(line)


async def reads_lines_async(raw, seen):
    """The same, asynchronous."""
    async for line in raw.iter_lines():
        seen.note(line)


def reads_bytes(raw, seen):
    """What comes in one piece differs from run to run; the whole does not."""
    seen.note(b"".join(raw.iter_bytes()))


async def reads_bytes_async(raw, seen):
    """The same, asynchronous."""
    seen.note(b"".join([data async for data in raw.iter_bytes()]))


def reads_small_bytes(raw, seen):
    """In pieces that end within lines and within characters."""
    for data in raw.iter_bytes(chunk_size=7):
        seen.note(data)


async def reads_small_bytes_async(raw, seen):
    """The same, asynchronous."""
    async for data in raw.iter_bytes(chunk_size=7):
        seen.note(data)


def reads_text(raw, seen):
    """Decoded."""
    seen.note("".join(raw.iter_text()))


async def reads_text_async(raw, seen):
    """The same, asynchronous."""
    seen.note("".join([text async for text in raw.iter_text()]))


def reads_all(raw, seen):
    """At once."""
    seen.note(raw.read())


async def reads_all_async(raw, seen):
    """The same, asynchronous."""
    seen.note(await raw.read())


def reads_all_text(raw, seen):
    """At once, decoded, and then again from memory."""
    seen.note(raw.text())
    seen.note(raw.text())


async def reads_all_text_async(raw, seen):
    """The same, asynchronous."""
    seen.note(await raw.text())
    seen.note(await raw.text())


def reads_what_was_sent(raw, seen):
    """Below the SDK: the bytes as they came, compressed if they were."""
    seen.note(zlib.decompress(data, 47) if (data := b"".join(raw.http_response.iter_raw()))[:1] == b"\x1f" else data)


async def reads_what_was_sent_async(raw, seen):
    """The same, asynchronous."""
    data = b"".join([data async for data in raw.http_response.aiter_raw()])
    seen.note(zlib.decompress(data, 47) if data[:1] == b"\x1f" else data)


def reads_events(raw, seen):
    """As the SDK reads a stream."""
    for item in raw.parse():
        seen.note(item)


async def reads_events_async(raw, seen):
    """The same, asynchronous."""
    async for item in await raw.parse():
        seen.note(item)


BODIES = [
    reads_lines,
    reads_lines_async,
    reads_bytes,
    reads_bytes_async,
    reads_small_bytes,
    reads_small_bytes_async,
    reads_text,
    reads_text_async,
    reads_all,
    reads_all_async,
    reads_all_text,
    reads_all_text_async,
    reads_what_was_sent,
    reads_what_was_sent_async,
]
EVENTS = [reads_events, reads_events_async]


def within(api, read, **more):
    """The reading that opens the response and has `read` read it."""
    if read.__name__.endswith("_async"):

        async def reading(client, seen):
            async with streaming(api, client, **more) as raw:
                await read(raw, seen)

    else:

        def reading(client, seen):
            with streaming(api, client, **more) as raw:
                read(raw, seen)

    return reading


@GZIP
@pytest.mark.parametrize("read", [*BODIES, *EVENTS], ids=named)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_a_stream_read_as_anything(twice: Twice, telemetry: Telemetry, api, read, gzip):
    """Whoever reads lines or bytes gets the same span as whoever reads events."""
    seen = twice(api.reply(gzip=gzip), within(api, read))

    assert None is seen.raised
    assert api.whole() == Ended.of(telemetry)


PLAIN = {
    "chat.completions": (completion("onetwothree", usage={**completion()["usage"], "completion_tokens": 3}), [8, 3]),
    "responses": (response("onetwothree", usage={"input_tokens": 8, "output_tokens": 3, "total_tokens": 11}), [8, 3]),
    "messages": (message(text("onetwothree")), [8, 3]),
}


def reads_json(raw, seen):
    """Parsed, by the HTTP client."""
    seen.note(raw.json())


async def reads_json_async(raw, seen):
    """The same, asynchronous."""
    seen.note(await raw.json())


def reads_model(raw, seen):
    """Parsed, by the SDK."""
    seen.note(raw.parse().id)


async def reads_model_async(raw, seen):
    """The same, asynchronous."""
    seen.note((await raw.parse()).id)


@GZIP
@pytest.mark.parametrize("read", [*BODIES, reads_json, reads_json_async, reads_model, reads_model_async], ids=named)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_a_plain_response_read_as_anything(twice: Twice, telemetry: Telemetry, api, read, gzip):
    """The same without a stream: one span has the response, and there are no chunks."""
    seen = twice(Json(PLAIN[api.path][0], gzip=gzip), within(api, read, stream=False))

    assert None is seen.raised
    assert api.whole(first_chunk=0, per_chunk=0) == Ended.of(telemetry)
    assert "gen_ai.request.stream" not in telemetry.span.attributes


def leaves_after_lines(api, client, seen):
    """Leaves when it has seen the lines of `part` events."""
    with streaming(api, client) as raw:
        for line in raw.iter_lines():
            seen.note(line)
            if sum(line.startswith("data:") for line in seen.chunks) == api.part:
                return


async def leaves_after_lines_async(api, client, seen):
    """The same, asynchronous."""
    async with streaming(api, client) as raw:
        async for line in raw.iter_lines():
            seen.note(line)
            if sum(line.startswith("data:") for line in seen.chunks) == api.part:
                return


def raises_after_lines(api, client, seen):
    """Fails by itself when it has seen them."""
    with streaming(api, client) as raw:
        for line in raw.iter_lines():
            seen.note(line)
            if sum(line.startswith("data:") for line in seen.chunks) == api.part:
                raise ValueError("the application's own")


async def raises_after_lines_async(api, client, seen):
    """The same, asynchronous."""
    async with streaming(api, client) as raw:
        async for line in raw.iter_lines():
            seen.note(line)
            if sum(line.startswith("data:") for line in seen.chunks) == api.part:
                raise ValueError("the application's own")


def closes_after_events(api, client, seen):
    """Closes the response, not the stream that was made of it."""
    with streaming(api, client) as raw:
        stream = raw.parse()
        for _ in range(api.part):
            seen.note(next(stream))
        raw.close()


async def closes_after_events_async(api, client, seen):
    """The same, asynchronous."""
    async with streaming(api, client) as raw:
        stream = await raw.parse()
        for _ in range(api.part):
            seen.note(await anext(stream))
        await raw.close()


@GZIP
@pytest.mark.parametrize(
    "reading",
    [
        leaves_after_lines,
        leaves_after_lines_async,
        raises_after_lines,
        raises_after_lines_async,
        closes_after_events,
        closes_after_events_async,
    ],
    ids=named,
)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_a_stream_left_early(twice: Twice, telemetry: Telemetry, api, reading, gzip):
    """What came until then is kept, and that the application stops is no error."""
    twice(api.reply(end="stall", sent=api.part, gzip=gzip), functools.partial(reading, api), leaves=True)

    assert api.partly() == Ended.of(telemetry)


def looks_only(api, client, seen):
    """Wants the status only."""
    with streaming(api, client) as raw:
        seen.note(raw.status_code)


async def looks_only_async(api, client, seen):
    """The same, asynchronous."""
    async with streaming(api, client) as raw:
        seen.note(raw.status_code)


@pytest.mark.parametrize("reading", [looks_only, looks_only_async], ids=named)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_left_unread(twice: Twice, telemetry: Telemetry, api, reading):
    """Nothing is read that the application did not read."""
    twice(api.stalled(), functools.partial(reading, api), leaves=True)

    assert Ended() == Ended.of(telemetry)
    assert 200 == telemetry.span.attributes["http.response.status_code"]


def takes_a_piece(api, client, seen):
    """Leaves a plain response after its first bytes."""
    with streaming(api, client, stream=False) as raw:
        seen.note(next(raw.iter_bytes()))


async def takes_a_piece_async(api, client, seen):
    """The same, asynchronous."""
    async with streaming(api, client, stream=False) as raw:
        async for data in raw.iter_bytes():
            seen.note(data)
            break


@pytest.mark.parametrize("reading", [takes_a_piece, takes_a_piece_async], ids=named)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_half_of_a_plain_response(twice: Twice, telemetry: Telemetry, api, reading):
    """Half a JSON text says nothing, and is no error."""
    twice(Json(PLAIN[api.path][0], end="stall"), functools.partial(reading, api), leaves=True)

    assert Ended() == Ended.of(telemetry)


@pytest.mark.parametrize("read", [*BODIES, *EVENTS], ids=named)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_a_stream_that_is_cut(twice: Twice, telemetry: Telemetry, api, read):
    """The exception arrives in whoever reads; the call failed, with what had come."""
    seen = twice(api.reply(end="cut", sent=api.part), within(api, read))

    assert seen.raised
    assert api.partly(status="ERROR", error=seen.raised[0]) == Ended.of(telemetry)


@pytest.mark.parametrize("read", [*BODIES, reads_json, reads_json_async, reads_model, reads_model_async], ids=named)
def test_a_plain_response_that_is_cut(twice: Twice, telemetry: Telemetry, read):
    """The same of a plain response, of which half says nothing."""
    seen = twice(Json(PLAIN["chat.completions"][0], end="cut"), within(CHAT, read, stream=False))

    assert seen.raised
    assert Ended(status="ERROR", error=seen.raised[0]) == Ended.of(telemetry)


@GZIP
@pytest.mark.parametrize("read", BODIES, ids=named)
@pytest.mark.parametrize("api", [DIFFERENT_APIS[0], DIFFERENT_APIS[2]])
def test_an_error_read_as_anything(twice: Twice, telemetry: Telemetry, api, read, gzip):
    """Nobody raises what the provider says in a stream that is read as lines or bytes; the call failed all the same."""
    seen = twice(api.failing(api.part, gzip=gzip), within(api, read))

    assert None is seen.raised
    # What is no chunk of an answer is still an event of the stream, and timed as one.
    assert api.partly(status="ERROR", error=api.sdk.code, per_chunk=api.part) == Ended.of(telemetry)


@pytest.mark.parametrize("read", EVENTS, ids=named)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_an_error_read_as_events(twice: Twice, telemetry: Telemetry, api, read):
    """Here the SDK raises it."""
    seen = twice(api.failing(api.part), within(api, read))

    assert api.sdk.raised == seen.raised
    assert api.partly(status="ERROR", error=api.sdk.code) == Ended.of(telemetry)


ODD = {
    "carriage returns": [Sse([event]).plan().pieces[0].replace(b"\n", b"\r\n") for event in CHAT.events],
    "comments between": [b": waiting\n\n" + Sse([event]).plan().pieces[0] for event in CHAT.events],
    "no space after the colon": [Sse([event]).plan().pieces[0].replace(b"data: ", b"data:") for event in CHAT.events],
    "other fields": [b"id: 1\nretry: 10\n" + Sse([event]).plan().pieces[0] for event in CHAT.events],
    "data over two lines": [
        Sse([event]).plan().pieces[0].replace(b', "object"', b'\ndata: , "object"') for event in CHAT.events
    ],
    "a comment between two lines of data": [
        Sse([event]).plan().pieces[0].replace(b', "object"', b'\n: waiting\ndata: , "object"') for event in CHAT.events
    ],
    "one byte at a time": [bytes([byte]) for byte in b"".join(Sse([event]).plan().pieces[0] for event in CHAT.events)],
}


@pytest.mark.parametrize("read", [reads_lines, reads_lines_async, *EVENTS], ids=named)
@pytest.mark.parametrize("form", ODD)
def test_every_form_of_an_event(twice: Twice, telemetry: Telemetry, form, read):
    """What the specification of server-sent events allows is read, however the pieces come."""
    seen = twice(Sse(ODD[form]), within(CHAT, read))

    assert None is seen.raised
    assert CHAT.whole() == Ended.of(telemetry)


STRANGE = {
    "a number": b"data: 5\n\n",
    "a list": b"data: [1]\n\n",
    "a text": b'data: "ping"\n\n',
    "null": b"data: null\n\n",
    "choices of another type": b'data: {"choices": "none"}\n\n',
    "no json": b"data: {\n\n",
    "not utf-8": b'data: {"id": "\xff"}\n\n',
}


@pytest.mark.parametrize("read", [reads_all, reads_all_async], ids=named)
@pytest.mark.parametrize("event", STRANGE)
def test_events_that_are_none_of_ours(twice: Twice, telemetry: Telemetry, event, read):
    """A body that is read as bytes need not be what the SDK would take; the rest of it is recorded."""
    pieces = [Sse([event]).plan().pieces[0] for event in CHAT.events]

    seen = twice(Sse([*pieces[:3], STRANGE[event], *pieces[3:]]), within(CHAT, read))

    assert None is seen.raised
    ended = Ended.of(telemetry)
    assert ("UNSET", ["stop"], (8, 3), ["onetwothree"]) == (ended.status, ended.reasons, ended.usage, ended.texts)


def _deflated(window: int) -> bytes:
    """The stream as one piece in one of the two forms that go by the name of deflate."""
    packing = zlib.compressobj(wbits=window)
    return packing.compress(b"".join(CHAT.reply().plan().pieces) + b"data: [DONE]\n\n") + packing.flush()


ENCODINGS = {
    "deflate": ("deflate", _deflated(15)),
    "raw deflate": ("deflate", _deflated(-15)),
    "gzip, in capitals": ("GZIP", _deflated(31)),
}


@pytest.mark.parametrize("read", [reads_all, reads_all_async, *EVENTS], ids=named)
@pytest.mark.parametrize("form", ENCODINGS)
def test_every_encoding_that_the_http_client_knows(twice: Twice, telemetry: Telemetry, form, read):
    """Both things that servers call deflate; names of encodings in any case."""
    encoding, body = ENCODINGS[form]

    seen = twice(Sse([body], done=False, headers={"content-encoding": encoding}), within(CHAT, read))

    assert None is seen.raised
    assert CHAT.whole() == Ended.of(telemetry)


@pytest.mark.parametrize("read", [reads_all, reads_all_async, reads_lines, reads_lines_async], ids=named)
def test_a_body_that_is_not_what_its_encoding_says(twice: Twice, telemetry: Telemetry, read):
    """The HTTP client's decoder raises, as without us; that is above the bytes, which for the call were left early."""
    reply = Sse([b"this was never compressed\n\n"], headers={"content-encoding": "gzip"}, done=False)

    seen = twice(reply, within(CHAT, read))

    assert seen.raised
    assert Ended() == Ended.of(telemetry)


@pytest.mark.parametrize("read", [reads_all, reads_all_async], ids=named)
def test_an_encoding_that_nobody_knows(twice: Twice, telemetry: Telemetry, read):
    """The HTTP client hands such a body on as it is, and nothing of it can be recorded."""
    seen = twice(Sse([b"\x00\x01\x02"], headers={"content-encoding": "new"}, done=False), within(CHAT, read))

    assert [b"\x00\x01\x02"] == seen.chunks
    assert Ended() == Ended.of(telemetry)


# Below the SDK's stream, there is the HTTP response, and there are people who read that.


def reads_lines_below(api, client, seen):
    """Has a stream, and reads the lines of its response."""
    stream = api.create(client)
    for line in stream.response.iter_lines():
        seen.note(line)


async def reads_lines_below_async(api, client, seen):
    """The same, asynchronous."""
    stream = await api.create(client)
    async for line in stream.response.aiter_lines():
        seen.note(line)


def reads_all_below(api, client, seen):
    """Has a stream, and reads its response."""
    seen.note(api.create(client).response.read())


async def reads_all_below_async(api, client, seen):
    """The same, asynchronous."""
    stream = await api.create(client)
    seen.note(await stream.response.aread())


BELOW = [reads_lines_below, reads_lines_below_async, reads_all_below, reads_all_below_async]


@pytest.mark.parametrize("reading", BELOW, ids=named)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_read_below_the_stream(twice: Twice, telemetry: Telemetry, api, reading):
    """Proxies forward the bytes of a stream that they let the SDK open: the span is whole for them as well."""
    twice(api.reply(), functools.partial(reading, api))

    assert api.whole() == Ended.of(telemetry)


@pytest.mark.parametrize("reading", BELOW, ids=named)
def test_a_cut_below_the_stream(twice: Twice, telemetry: Telemetry, reading):
    """The exception arrives there; the call failed with it."""
    seen = twice(CHAT.reply(end="cut", sent=2), functools.partial(reading, CHAT))

    assert seen.raised
    ended = Ended.of(telemetry)
    assert ("ERROR", seen.raised[0]) == (ended.status, ended.error)


def reads_in_advance(http_response):
    """An event hook of the HTTP client that logs bodies has to read them."""
    http_response.read()


async def reads_in_advance_async(http_response):
    """The same, asynchronous."""
    await http_response.aread()


def loops(api, client, seen):
    """Reads what the hook has left in memory."""
    client._client.event_hooks = {"response": [reads_in_advance]}
    for item in api.create(client):
        seen.note(item)


async def loops_async(api, client, seen):
    """The same, asynchronous."""
    client._client.event_hooks = {"response": [reads_in_advance_async]}
    async for item in await api.create(client):
        seen.note(item)


@pytest.mark.parametrize("reading", [loops, loops_async], ids=named)
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_a_stream_with_a_body_in_memory(twice: Twice, telemetry: Telemetry, api, reading):
    """A stream is a stream, although its HTTP response was read before anybody took a chunk."""
    seen = twice(api.reply(), functools.partial(reading, api))

    assert len(api.events) == len(seen.chunks)
    assert api.whole() == Ended.of(telemetry)

"""The variants: each way in which an application makes a call and reads what it gets.

Each is written once, for sync and async alike, and gives whatever the application sees, in a form that can be compared.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isasyncgen, iscoroutinefunction, isgenerator
from typing import Any, Literal

from contract.comparable import comparable, comparable_decoder, comparable_http, comparable_raw, comparable_stream
from contract.drive import Opened, listed, settled
from contract.row import Row

Seen = Literal["response", "nothing"]
Call = Callable[[], Any]

RAW, STREAMING = "with_raw_response", "with_streaming_response"


@dataclass(frozen=True)
class Variant:
    """One way.

    Attributes:
        id: what the test is called.
        read: makes the call, and reads what it gets.
        stream: whether the call asks for a stream.
        access: the member of the resource that the method is taken from.
        style: the style of the rows it is for.
        sees: whether the body is read.
    """

    id: str
    read: Callable[[Call], Awaitable[Any]]
    stream: bool = False
    access: str = ""
    style: str = "call"
    sees: Seen = "response"

    def fits(self, row: Row) -> bool:
        """Whether the row is called like this."""
        return row.style == self.style and row.reply(stream=self.stream) is not None


async def plain(call: Call) -> Any:
    """`create(...)`."""
    return comparable(await settled(call()))


async def stream(call: Call) -> Any:
    """`for chunk in create(stream=True)`."""
    chunks = await settled(call())
    before = comparable_stream(chunks)
    return before, comparable(await listed(chunks)), comparable_stream(chunks)


async def stream_opened(call: Call) -> Any:
    """`with create(stream=True) as stream`."""
    made = await settled(call())
    async with Opened(made) as chunks:
        assert made is chunks
        read = comparable(await listed(chunks))
    return read, comparable_stream(chunks)


async def stream_stepped(call: Call) -> Any:
    """`next(stream)`, one by one, and once more after the end."""
    chunks = await settled(call())
    read = []
    for _ in range(100):
        try:
            read.append(comparable(await _next(chunks)))
        except (StopIteration, StopAsyncIteration) as end:
            read.append(type(end))
            break
    return read, comparable_stream(chunks)


async def _next(chunks: Any) -> Any:
    # A coroutine must not raise StopIteration, which is how the end of a synchronous iterator is recognised.
    if hasattr(chunks, "__anext__"):
        return await chunks.__anext__()
    try:
        return next(chunks)
    except StopIteration:
        raise StopAsyncIteration from None


async def raw(call: Call) -> Any:
    """`with_raw_response.create(...)`: all it has, and `parse()` twice."""
    response = await settled(call())
    before = comparable_raw(response)
    first, second = await settled(response.parse()), await settled(response.parse())
    http = response.http_response
    return before, comparable(first), first is second, http.content, http.text, http.json(), comparable_raw(response)


async def raw_unparsed(call: Call) -> Any:
    """`with_raw_response.create(...)`, of which only the headers are of interest."""
    return comparable_raw(await settled(call()))


async def raw_stream(call: Call) -> Any:
    """`with_raw_response.create(stream=True)`, parsed later, twice, and iterated."""
    response = await settled(call())
    before = comparable_raw(response)
    chunks = await settled(response.parse())
    same = chunks is await settled(response.parse())
    return before, comparable_stream(chunks), comparable(await listed(chunks)), same, comparable_raw(response)


async def streaming_parsed(call: Call) -> Any:
    """`with_streaming_response.create(...)` and `parse()`, twice."""
    async with Opened(call()) as response:
        before = comparable_raw(response)
        first, second = await settled(response.parse()), await settled(response.parse())
        return before, comparable(first), first is second, comparable_raw(response)


async def streaming_stream(call: Call) -> Any:
    """`with_streaming_response.create(stream=True)`, parsed and iterated."""
    async with Opened(call()) as response:
        before = comparable_raw(response)
        chunks = await settled(response.parse())
        return before, comparable_stream(chunks), comparable(await listed(chunks)), comparable_raw(response)


def reading(name: str) -> Callable[[Call], Awaitable[Any]]:
    """`with_streaming_response.create(...)` and `read()`, `text()` or `json()`, twice."""

    async def read(call: Call) -> Any:
        async with Opened(call()) as response:
            before = comparable_raw(response)
            body = await settled(getattr(response, name)())
            again = await settled(getattr(response, name)())
            return before, body, again, comparable_raw(response)

    return read


def iterating(name: str, *arguments: int) -> Callable[[Call], Awaitable[Any]]:
    """`with_streaming_response.create(...)` and `iter_lines()` and its like: where pieces are split, the network decides."""

    async def read(call: Call) -> Any:
        async with Opened(call()) as response:
            before = comparable_raw(response)
            pieces = await listed(getattr(response, name)(*arguments))
            seen = pieces if name == "iter_lines" else type(pieces[0])().join(pieces)
            return before, seen, comparable_raw(response)

    return read


async def streaming_raw_bytes(call: Call) -> Any:
    """`with_streaming_response.create(...)`, past the SDK: the bytes of the HTTP response as they come."""
    async with Opened(call()) as response:
        http = response.http_response
        pieces = await listed(http.aiter_raw() if iscoroutinefunction(response.read) else http.iter_raw())
        return b"".join(pieces), comparable_http(http)


async def streaming_unread(call: Call) -> Any:
    """`with_streaming_response.create(...)`, left without reading."""
    async with Opened(call()) as response:
        before = comparable_raw(response)
    return before, comparable_raw(response)


async def streaming_closed(call: Call) -> Any:
    """`with_streaming_response.create(...)`, closed by hand without reading, and once more by `with`."""
    async with Opened(call()) as response:
        await settled(response.close())
    return comparable_raw(response)


async def helper(call: Call) -> Any:
    """`with stream(...) as stream`, event by event."""
    async with Opened(call()) as events:
        return type(events), sorted(dir(events)), comparable(await listed(events))


_FINALS = ("get_final_completion", "get_final_response", "get_final_message")


async def helper_final(call: Call) -> Any:
    """`stream.get_final_completion()`, `get_final_response()` or `get_final_message()`, at once, and again."""
    async with Opened(call()) as events:
        final = next(getattr(events, name) for name in _FINALS if hasattr(events, name))
        return comparable(await settled(final())), comparable(await settled(final()))


async def helper_until_done(call: Call) -> Any:
    """`stream.until_done()`, which gives the stream, or nothing."""
    async with Opened(call()) as events:
        return await settled(events.until_done()) is events


async def generator(call: Call) -> Any:
    """`for chunk in chat(stream=True)`, where the stream is a generator, and nothing else."""
    made = await settled(call())
    kinds = isgenerator(made), isasyncgen(made), [name for name in dir(made) if not name.startswith("__")]
    read = comparable(await listed(made))
    return kinds, read, comparable(await listed(made))


async def generator_stepped(call: Call) -> Any:
    """`next(stream)`, one by one, and once more after the end."""
    made = await settled(call())
    read = []
    for _ in range(100):
        try:
            read.append(comparable(await _next(made)))
        except (StopIteration, StopAsyncIteration) as end:
            read.append(type(end))
            break
    return read


async def wrapped_stream(call: Call) -> Any:
    """`for chunk in create(stream=True)`, where the stream is a generator in some versions."""
    chunks = await settled(call())
    return type(chunks), comparable(await listed(chunks)), comparable(await listed(chunks))


async def lines(call: Call) -> Any:
    """`for line in results(...)`, where each line of the body is a value; and once more after the end."""
    made = await settled(call())
    before = comparable_decoder(made)
    read = comparable(await listed(made))
    return before, read, comparable(await listed(made)), comparable_decoder(made)


async def lines_stepped(call: Call) -> Any:
    """`next(results)`, one by one, and once more after the end."""
    return await generator_stepped(call)


async def helper_text(call: Call) -> Any:
    """`for text in stream.text_stream`, and the message that it made."""
    async with Opened(call()) as events:
        return await listed(events.text_stream), comparable(events.current_message_snapshot)


async def helper_final_text(call: Call) -> Any:
    """`stream.get_final_text()`, at once, and again."""
    async with Opened(call()) as events:
        return await settled(events.get_final_text()), await settled(events.get_final_text())


async def raw_bytes(call: Call) -> Any:
    """`with_raw_response.create(...)`, whose body is no JSON: all it has, and `parse()`."""
    response = await settled(call())
    before = comparable_raw(response)
    return before, comparable(await settled(response.parse())), response.http_response.content, comparable_raw(response)


_OF_BYTES: tuple[tuple[str, Callable[[Call], Awaitable[Any]], str, Seen], ...] = (
    ("plain", plain, "", "response"),
    ("raw", raw_bytes, RAW, "response"),
    ("raw-unparsed", raw_unparsed, RAW, "response"),
    ("read", reading("read"), STREAMING, "response"),
    ("iter_bytes", iterating("iter_bytes"), STREAMING, "response"),
    ("iter_bytes-3", iterating("iter_bytes", 3), STREAMING, "response"),
    ("iter_raw", streaming_raw_bytes, STREAMING, "response"),
    ("unread", streaming_unread, STREAMING, "nothing"),
    ("closed", streaming_closed, STREAMING, "nothing"),
)
VARIANTS = (
    Variant("plain", plain),
    Variant("stream", stream, stream=True),
    Variant("stream-with", stream_opened, stream=True),
    Variant("stream-next", stream_stepped, stream=True),
    Variant("raw", raw, access=RAW),
    Variant("raw-unparsed", raw_unparsed, access=RAW),
    Variant("raw-stream", raw_stream, stream=True, access=RAW),
    Variant("streaming-parse", streaming_parsed, access=STREAMING),
    Variant("streaming-stream", streaming_stream, stream=True, access=STREAMING),
    *(
        Variant(f"streaming-{name}{'-stream' if streamed else ''}", reading(name), stream=streamed, access=STREAMING)
        for name in ("read", "text", "json")
        for streamed in (False, True)
        if (name, streamed) != ("json", True)
    ),
    *(
        Variant(f"streaming-{name}{'-stream' if streamed else ''}", iterating(name), stream=streamed, access=STREAMING)
        for name in ("iter_bytes", "iter_text", "iter_lines")
        for streamed in (False, True)
    ),
    Variant("streaming-iter_bytes-3", iterating("iter_bytes", 3), stream=True, access=STREAMING),
    Variant("streaming-iter_raw", streaming_raw_bytes, access=STREAMING),
    Variant("streaming-iter_raw-stream", streaming_raw_bytes, stream=True, access=STREAMING),
    Variant("streaming-unread", streaming_unread, access=STREAMING, sees="nothing"),
    Variant("streaming-unread-stream", streaming_unread, stream=True, access=STREAMING, sees="nothing"),
    Variant("streaming-closed", streaming_closed, access=STREAMING, sees="nothing"),
    Variant("streaming-closed-stream", streaming_closed, stream=True, access=STREAMING, sees="nothing"),
    *(
        Variant(f"bytes-{name}", read, access=access, style="bytes", sees=sees)
        for name, read, access, sees in _OF_BYTES
    ),
    Variant("by-hand", plain, style="by hand"),
    Variant("by-hand-stream", stream, stream=True, style="by hand"),
    Variant("generator-plain", plain, style="generator"),
    Variant("generator", generator, stream=True, style="generator"),
    Variant("generator-next", generator_stepped, stream=True, style="generator"),
    Variant("wrapped", plain, style="wrapped"),
    Variant("wrapped-stream", wrapped_stream, stream=True, style="wrapped"),
    Variant("lines", lines, stream=True, style="lines"),
    Variant("lines-next", lines_stepped, stream=True, style="lines"),
    *(
        Variant(name, read, stream=True, style=style)
        for style in ("helper", "message helper")
        for name, read in (
            ("helper", helper),
            ("helper-final", helper_final),
            ("helper-until-done", helper_until_done),
        )
    ),
    Variant("helper-text", helper_text, stream=True, style="message helper"),
    Variant("helper-final-text", helper_final_text, stream=True, style="message helper"),
)

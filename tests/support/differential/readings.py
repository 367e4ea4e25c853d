"""How applications make a call and read what they get, once for sync and async; all that they see is noted."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from contract.drive import Opened, settled

Call = Callable[[], Any]
RAW, STREAMING = "with_raw_response", "with_streaming_response"
_ADDRESS = re.compile(r"0x[0-9a-f]+")


def shown(value: Any) -> Any:
    """A value by its type and all that is in it, without where it lies in memory."""
    if isinstance(value, BaseModel):
        return _kind(value), shown({**vars(value), **(getattr(value, "__pydantic_extra__", None) or {})})
    if type(value) is dict:
        return {_ADDRESS.sub("0x", repr(key)): shown(entry) for key, entry in value.items()}
    if type(value) in (list, tuple):
        return [shown(entry) for entry in value]
    if isinstance(value, (bytes, str, int, float, bool)) or value is None:
        return _ADDRESS.sub("0x", repr(value))
    return _kind(value)


def _kind(value: Any) -> str:
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


@dataclass(frozen=True)
class Reading:
    """One way.

    Attributes:
        name: what it is called.
        read: call, and a function that notes what is seen -> nothing.
        stream: whether the call asks for a stream.
        access: the member of the resource that the method is taken from.
        helper: whether it is for the stream helper of an endpoint.
        families: of the SDKs that it is for.
        drops: whether something is left to the garbage collector.
    """

    name: str
    read: Callable[[Call, Callable[[Any], None]], Awaitable[None]]
    stream: bool = False
    access: str = ""
    helper: bool = False
    families: tuple[str, ...] = ("stainless",)
    drops: bool = False


async def _next(source: Any) -> Any:
    if hasattr(source, "__anext__"):
        return await source.__anext__()
    try:
        return next(source)
    except StopIteration:
        raise StopAsyncIteration from None


async def _each(source: Any, note: Callable[[Any], None], most: int = 1000, show: Callable[[Any], Any] = shown) -> bool:
    """Read up to so many, and return whether that was all."""
    iterator = source.__aiter__() if hasattr(source, "__aiter__") else iter(source)
    for _ in range(most):
        try:
            note(show(await _next(iterator)))
        except StopAsyncIteration:
            return True
    return False


async def create(call: Call, note: Callable[[Any], None]) -> None:
    """`create(...)`."""
    note(shown(await settled(call())))


async def to_the_end(call: Call, note: Callable[[Any], None]) -> None:
    """`for chunk in create(stream=True)`, and once more after the end."""
    chunks = await settled(call())
    note(shown(chunks))
    note(await _each(chunks, note))
    note(await _each(chunks, note))


async def opened(call: Call, note: Callable[[Any], None]) -> None:
    """`with create(stream=True) as stream`."""
    async with Opened(await settled(call())) as chunks:
        note(await _each(chunks, note))


async def closed_early(call: Call, note: Callable[[Any], None]) -> None:
    """One chunk, then `close()`."""
    chunks = await settled(call())
    note(await _each(chunks, note, 1))
    close = getattr(chunks, "aclose", None) or chunks.close
    note(shown(await settled(close())))


async def dropped(call: Call, note: Callable[[Any], None]) -> None:
    """Two chunks, then nothing."""
    note(await _each(await settled(call()), note, 2))


async def dropped_unread(call: Call, note: Callable[[Any], None]) -> None:
    """A stream that nobody reads."""
    note(shown(await settled(call())))


async def raised_within(call: Call, note: Callable[[Any], None]) -> None:
    """The application's own code raises while it reads."""
    async with Opened(await settled(call())) as chunks:
        note(await _each(chunks, note, 1))
        raise ZeroDivisionError


async def raw(call: Call, note: Callable[[Any], None]) -> None:
    """`with_raw_response.create(...)` and `parse()`."""
    response = await settled(call())
    note((shown(response), response.status_code, response.http_response.is_closed))
    note(shown(response.http_response.content))
    note(shown(await settled(response.parse())))


async def raw_unparsed(call: Call, note: Callable[[Any], None]) -> None:
    """`with_raw_response.create(...)`, of which the headers are of interest."""
    response = await settled(call())
    note((shown(response), [*response.headers]))


async def raw_stream(call: Call, note: Callable[[Any], None]) -> None:
    """`with_raw_response.create(stream=True)`, parsed and read."""
    response = await settled(call())
    chunks = await settled(response.parse())
    note((shown(response), shown(chunks)))
    note(await _each(chunks, note))


def streaming(name: str, *arguments: Any) -> Callable[[Call, Callable[[Any], None]], Awaitable[None]]:
    """`with_streaming_response.create(...)`, and one of its methods. Where bytes and texts are split, the network decides."""

    async def read(call: Call, note: Callable[[Any], None]) -> None:
        async with Opened(call()) as response:
            note((shown(response), response.status_code))
            if not name.startswith("iter_"):
                got = await settled(getattr(response, name)(*arguments))
                note(shown(got))
                if hasattr(got, "response"):
                    note(await _each(got, note))
                return
            pieces: list[Any] = []
            try:
                await _each(getattr(response, name)(*arguments), pieces.append, show=lambda piece: piece)
            finally:
                note(shown(pieces if name == "iter_lines" or not pieces else type(pieces[0])().join(pieces)))

    return read


async def streaming_left(call: Call, note: Callable[[Any], None]) -> None:
    """`with_streaming_response.create(...)`, left after one line."""
    async with Opened(call()) as response:
        note(await _each(response.iter_lines(), note, 1))


async def streaming_unread(call: Call, note: Callable[[Any], None]) -> None:
    """`with_streaming_response.create(...)`, left without reading."""
    async with Opened(call()) as response:
        note((shown(response), response.status_code))


async def helper(call: Call, note: Callable[[Any], None]) -> None:
    """`with stream(...) as stream`, event by event."""
    async with Opened(call()) as events:
        note(shown(events))
        note(await _each(events, note))


async def helper_left(call: Call, note: Callable[[Any], None]) -> None:
    """The same, left after two events."""
    async with Opened(call()) as events:
        note(await _each(events, note, 2))


async def helper_final(call: Call, note: Callable[[Any], None]) -> None:
    """`stream.get_final_message()` and its like."""
    async with Opened(call()) as events:
        names = ("get_final_completion", "get_final_response", "get_final_message")
        note(shown(await settled(next(getattr(events, name) for name in names if hasattr(events, name))())))


async def events_of_botocore(call: Call, note: Callable[[Any], None]) -> None:
    """`for event in client.converse_stream(...)["stream"]`, or the whole body of `invoke_model`."""
    note(await _each(_noted(call(), note), note))


async def one_event_of_botocore(call: Call, note: Callable[[Any], None]) -> None:
    """One event, then `close()`."""
    source = _noted(call(), note)
    note(await _each(source, note, 1))
    if hasattr(source, "close"):
        note(shown(source.close()))


async def botocore_dropped(call: Call, note: Callable[[Any], None]) -> None:
    """One event, then nothing."""
    note(await _each(_noted(call(), note), note, 1))


async def botocore_unread(call: Call, note: Callable[[Any], None]) -> None:
    """A response of which nothing is read."""
    _noted(call(), note)


def _noted(result: Any, note: Callable[[Any], None]) -> Any:
    """Note what a method of botocore returns, and return what is to be read of it."""
    held = {name: value for name, value in result.items() if name != "ResponseMetadata"}
    note((shown(held), result["ResponseMetadata"]["HTTPStatusCode"]))
    source = held.get("stream", held.get("body"))
    return source.iter_chunks(1 << 20) if hasattr(source, "iter_chunks") else source or ()


_GENERATORS = ("stainless", "ollama", "google")
READINGS = (
    Reading("create", create, families=_GENERATORS),
    Reading("to the end", to_the_end, stream=True, families=_GENERATORS),
    Reading("opened", opened, stream=True),
    Reading("closed early", closed_early, stream=True, families=_GENERATORS),
    Reading("dropped", dropped, stream=True, drops=True, families=_GENERATORS),
    Reading("dropped unread", dropped_unread, stream=True, drops=True, families=_GENERATORS),
    Reading("raised within", raised_within, stream=True),
    Reading("raw", raw, access=RAW),
    Reading("raw unparsed", raw_unparsed, access=RAW),
    Reading("raw stream", raw_stream, stream=True, access=RAW),
    *(
        Reading(f"streaming {name}{' stream' * stream}", streaming(name), stream=stream, access=STREAMING)
        for name in ("read", "text", "json", "parse", "iter_lines", "iter_text")
        for stream in (False, True)
    ),
    *(
        Reading(
            f"streaming iter_bytes {size}{' stream' * stream}",
            streaming("iter_bytes", *size),
            stream=stream,
            access=STREAMING,
        )
        for size in ((), (3,))
        for stream in (False, True)
    ),
    Reading("streaming left", streaming_left, stream=True, access=STREAMING),
    Reading("streaming unread", streaming_unread, access=STREAMING),
    Reading("streaming unread stream", streaming_unread, stream=True, access=STREAMING),
    *(
        Reading(f"{read.__name__}{' stream' * stream}", read, stream=stream, families=("botocore",), drops=drops)
        for read, drops in (
            (events_of_botocore, False),
            (one_event_of_botocore, False),
            (botocore_dropped, True),
            (botocore_unread, True),
        )
        for stream in (False, True)
    ),
    Reading("helper", helper, helper=True),
    Reading("helper left", helper_left, helper=True),
    Reading("helper final", helper_final, helper=True),
)

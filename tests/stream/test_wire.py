"""A body is read from its bytes, wherever they are cut and however they are compressed."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest

from opentelemetry_instrumentation_genai._adapter.json_text import LARGEST, parsed
from opentelemetry_instrumentation_genai._stream.decoding import Wire

EVENTS = [{"n": 1}, {"text": "h\u00e9llo \U0001f600"}, {"n": [3]}]
STREAM = b": a comment\n\n" + b"".join(
    b"event: e\nid: 7\ndata: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n" for event in EVENTS
)
SSE = {"content-type": "text/event-stream; charset=utf-8"}
JSON = {"content-type": "application/json"}


def read(data: bytes, headers: dict[str, str], size: int) -> tuple[list[Any], Any]:
    """The events and the body of what comes in pieces of `size` bytes."""
    wire = Wire(headers)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return [event for piece in pieces for event in wire.feed(piece)], wire.body()


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("identity", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress)],
)
def test_events_come_whole_wherever_the_bytes_are_cut(size: int, encoding: str, encode: Any) -> None:
    """Also between the bytes of one character, and inside of a compressed block."""
    assert (EVENTS, None) == read(encode(STREAM), {**SSE, "content-encoding": encoding}, size)


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize(("encoding", "encode"), [("identity", bytes), ("gzip", gzip.compress)])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n"])
def test_values_in_lines(size: int, encoding: str, encode: Any, end: bytes) -> None:
    """Each line is a value, the last one too where no line break follows it; what is no JSON is none."""
    data = b"\n\nnone\r\n" + b"\n".join(json.dumps(event, ensure_ascii=False).encode() for event in EVENTS) + end
    wire, packed = Wire({"content-encoding": encoding}, lines=True), encode(data)

    found = [value for start in range(0, len(packed), size) for value in wire.feed(packed[start : start + size])]

    assert EVENTS == [*found, *([] if end else [wire.last()])]
    assert None is wire.body()
    assert not end or None is wire.last()


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_end_in_either_way(end: bytes) -> None:
    """Both are in use."""
    assert EVENTS == read(STREAM.replace(b"\n", end), SSE, 3)[0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"data: [DONE]\n\n", []),
        (b"data:{}\n\n", [{}]),
        (b'data: {"a":\ndata: 1}\n\n', [{"a": 1}]),
        (b'data: {"a": 1}\n', []),
        (b"data: {broken\n\ndata: {}\n\n", [{}]),
        (b"data: \xff\n\ndata: {}\n\n", [{}]),
        (b"data: null\n\n", []),
        (b"data: " + b"[" * 200_000 + b"\n\ndata: {}\n\n", [{}]),
        (b"\n\n\nevent: ping\n\n", []),
        (b"", []),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_event_is_passed_over(data: bytes, expected: list[Any]) -> None:
    """Comments, the end mark, half events, malformed JSON; what follows them is read."""
    assert expected == read(data, SSE, 1 << 20)[0]


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_a_plain_body_is_read_at_its_end(size: int) -> None:
    """It has no events."""
    assert ([], {"id": 1}) == read(b'{"id": 1}', JSON, size)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"<html>", b"[" * 200_000])
def test_a_body_that_is_no_json_is_nothing(data: bytes) -> None:
    """A body that was cut among them."""
    assert (None, None) == (read(data, JSON, 1 << 20)[1], parsed(data))


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "unheard of"])
def test_an_unknown_encoding_leaves_the_body_unread(encoding: str) -> None:
    """Only the standard library is asked."""
    assert ([], None) == read(b'{"id": 1}', {**JSON, "content-encoding": encoding}, 4)


@pytest.mark.parametrize("encoding", ["GZIP", "Deflate", " gzip "])
def test_the_name_of_an_encoding_is_read_as_http_has_it(encoding: str) -> None:
    """In any case, as the SDK's HTTP client reads it."""
    assert {"id": 1} == read(gzip.compress(b'{"id": 1}'), {**JSON, "content-encoding": encoding}, 4)[1]


def test_a_deflate_body_may_lack_its_header() -> None:
    """Servers and clients have never agreed on it."""
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = packing.compress(b'{"id": 1}') + packing.flush()
    assert {"id": 1} == read(data, {**JSON, "content-encoding": "deflate"}, 1 << 20)[1]


def test_a_body_without_headers_is_plain() -> None:
    """Nothing says otherwise."""
    assert ([], [1]) == read(b"[1]", {}, 1)


BOMB = b"x" * (200 << 20)


def memory_of(data: bytes, headers: dict[str, str], size: int) -> tuple[Wire, int, int, list[Any]]:
    """The decoder after it was given `data` in pieces, the most memory that it took, what it keeps, and the events."""
    wire = Wire(headers)
    tracemalloc.start()
    found = [event for start in range(0, len(data), size) for event in wire.feed(data[start : start + size])]
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return wire, peak, kept, found


@pytest.mark.parametrize("headers", [SSE, JSON], ids=["events", "body"])
@pytest.mark.parametrize("beginning", [b"", b"data: ", b"data: 1\n" * 9, b'{"a": "'])
@pytest.mark.parametrize("size", [1 << 10, 1 << 30])
def test_a_body_that_is_small_only_while_it_is_compressed(size: int, beginning: bytes, headers: dict[str, str]) -> None:
    """199 KiB that are 200 MiB: what is kept is bounded, and freed once it is too much. In one piece or in many."""
    data = gzip.compress(beginning + BOMB)
    assert len(data) < 1 << 18

    wire, peak, kept, found = memory_of(data, {**headers, "content-encoding": "gzip"}, size)

    assert wire.given_up
    assert peak < 3 * LARGEST
    assert kept < 1 << 20
    assert [] == found
    assert None is wire.body()


@pytest.mark.parametrize(
    "data",
    [b"x" * (1 << 16), b"data: x\n" * (1 << 13), b"data:\n" * (1 << 13), b"data: " + b"x" * (1 << 16) + b"\n"],
    ids=["no line ends", "lines of one event", "empty lines of one event", "long lines of one event"],
)
def test_an_event_that_does_not_end(data: bytes) -> None:
    """It is given up, with what comes after it."""
    wire, peak, kept, found = memory_of(data * 1000, SSE, len(data))

    assert wire.given_up
    assert peak < 4 * LARGEST
    assert kept < 1 << 20
    assert [] == found
    assert [] == list(wire.feed(b"\n\ndata: {}\n\n"))


def test_a_line_that_does_not_end() -> None:
    """It is given up, with what comes after it."""
    wire = Wire({}, lines=True)

    assert [] == [value for _ in range(3) for value in wire.feed(b"x" * (LARGEST // 2))]

    assert wire.given_up
    assert [] == list(wire.feed(b"\n{}\n"))
    assert None is wire.last()


@pytest.mark.parametrize("size", [1 << 16, 1 << 30])
@pytest.mark.parametrize(("encoding", "encode"), [("identity", bytes), ("gzip", gzip.compress)])
def test_a_stream_of_any_length_is_read(encoding: str, encode: Any, size: int) -> None:
    """Only one event of it is held at a time, also where all come in one piece."""
    event = b'data: {"text": "' + b"x" * 10_000 + b'"}\n\n'
    count = 2 * LARGEST // len(event)

    wire, _, kept, found = memory_of(encode(event * count), {**SSE, "content-encoding": encoding}, size)

    assert not wire.given_up
    assert count == len(found)
    del found
    assert kept - count * 10_500 < 1 << 21


@pytest.mark.parametrize("more", [0, 1])
def test_the_largest_body(more: int) -> None:
    """One byte more is too much."""
    wire = Wire(JSON)
    list(wire.feed(b'{"a": "' + b"x" * (LARGEST - 9) + b'"}' + b" " * more))

    assert bool(more) is wire.given_up
    assert (wire.body() is None) is bool(more)


def test_vectors_are_no_part_of_what_is_too_large() -> None:
    """Of what nobody reads more may come; it is never parsed."""
    wire = Wire(JSON, frozenset({"data"}))
    list(wire.feed(b'{"data": ["' + b"x" * (2 * LARGEST) + b'"], "usage": {"prompt_tokens": 8}}'))

    assert {"usage": {"prompt_tokens": 8}} == wire.body()

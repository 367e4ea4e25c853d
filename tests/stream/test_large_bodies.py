"""Bodies that are larger than what is read of them: the application gets all of it, telemetry has what is right, or nothing.

Vectors are never built a second time. What is over the limit is not kept, and of such a response nothing is reported.
"""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import openai
import pytest

from loopback import Json, ModelServer, Sse, Telemetry
from loopback.openai_bodies import CHAT, SERVED, chunk, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai._adapter.json_text import LARGEST
from opentelemetry_instrumentation_genai._adapter.openai_api.stream_usage import STREAM_USAGE
from opentelemetry_instrumentation_genai._stream.usage_filter import BytesFilter

USAGE = {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11}
INPUT, MODEL, REASONS = "gen_ai.usage.input_tokens", "gen_ai.response.model", "gen_ai.response.finish_reasons"
VECTORS = [
    {"object": "embedding", "index": index, "embedding": [0.0123456789] * 1536, "usage": {"prompt_tokens": 1}}
    for index in range(680)
]
EMBEDDINGS = {"object": "list", "data": VECTORS, "model": "served", "usage": {"prompt_tokens": 8, "total_tokens": 8}}
WORD = "x" * (LARGEST + 1)


@pytest.fixture
def both(server: ModelServer, telemetry: Telemetry, openai_client: Any) -> Callable[..., dict[str, Any]]:
    """Reads without and with the instrumentation, which have the same result. Gives the attributes of the span."""

    def read(reply: Any, reading: Callable[[openai.OpenAI], Any], **settings: Any) -> dict[str, Any]:
        server.reply(reply, reply)
        client = openai_client()
        bare = reading(client)
        OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
        assert bare == reading(client)
        assert "UNSET" == telemetry.span.status.status_code.name
        assert 200 == telemetry.span.attributes["http.response.status_code"]
        return dict(telemetry.span.attributes)

    return read


def embeddings(access: str, name: str) -> Callable[[openai.OpenAI], int]:
    """Read raw embeddings by a method. Gives how many bytes there are."""

    def reading(client: openai.OpenAI) -> int:
        made = getattr(client.embeddings, access).create(model="m", input="Hi", encoding_format="float")
        if access == "with_raw_response":
            return len(made.http_response.content)
        with made as response:
            found = getattr(response, name)()
            return len(found if isinstance(found, bytes) else b"".join(found))

    return reading


@pytest.mark.parametrize(
    ("access", "name"),
    [("with_raw_response", ""), ("with_streaming_response", "read"), ("with_streaming_response", "iter_bytes")],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_tokens_of_raw_embeddings_of_15_mib(both, telemetry, access, name, compressed) -> None:
    """Model and usage are read beside the vectors, which have members of the same names."""
    assert len(json.dumps(EMBEDDINGS)) > 14 << 20

    attributes = both(Json(EMBEDDINGS, gzip=compressed), embeddings(access, name))

    assert (8, "served") == (attributes[INPUT], attributes[MODEL])
    (point,) = telemetry.metrics["gen_ai.client.token.usage"]
    assert (8, "input") == (point.sum, point.attributes["gen_ai.token.type"])


def test_a_hook_for_responses_gets_the_vectors(both) -> None:
    """Then they are read by somebody."""
    got = []

    both(
        Json({**EMBEDDINGS, "data": VECTORS[:1]}),
        embeddings("with_raw_response", ""),
        response_hook=lambda _span, _request, response: got.append(response),
    )

    assert [VECTORS[:1]] == [response["data"] for response in got]


def raw(client: openai.OpenAI) -> int:
    """`with_raw_response`."""
    return len(client.chat.completions.with_raw_response.create(**CHAT).http_response.content)


def read(client: openai.OpenAI) -> int:
    """`with_streaming_response`, read at once."""
    with client.chat.completions.with_streaming_response.create(**CHAT) as response:
        return len(response.read())


@pytest.mark.parametrize("capture", ["no_content", "span_and_event"])
@pytest.mark.parametrize("reading", [raw, read])
def test_nothing_is_reported_of_a_response_that_is_too_large(both, telemetry, reading, capture) -> None:
    """Neither usage nor finish reasons, nor that one is missing: part of it could be wrong."""
    attributes = both(Json(completion(WORD)), reading, capture_message_content=capture)

    assert attributes.keys().isdisjoint({INPUT, MODEL, REASONS, "gen_ai.output.messages"})
    assert ["gen_ai.client.operation.duration"] == list(telemetry.metrics)


def lines(client: openai.OpenAI) -> int:
    """A stream, line by line."""
    with client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response:
        return sum(map(len, response.iter_lines()))


def undecoded(client: openai.OpenAI) -> int:
    """A stream in the bytes that the network has."""
    with client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response:
        return len(b"".join(response.http_response.iter_raw()))


def events(client: openai.OpenAI) -> int:
    """A stream, event by event."""
    return sum(len(str(item)) for item in client.chat.completions.create(**CHAT, stream=True))


@pytest.mark.parametrize("usage", ["off", "inject"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("reading", [lines, undecoded, events])
def test_a_stream_with_an_event_that_is_too_large(both, reading, compressed, usage) -> None:
    """Where the SDK has parsed it, it is known; where it was to be read from bytes, nothing is reported, and it passes."""
    stream = [chunk({"content": "Hi"}), chunk({"content": WORD}), chunk(reason="stop", usage=USAGE)]

    attributes = both(Sse(stream, gzip=compressed), reading, stream_usage=usage)

    expected = {INPUT: 8, MODEL: SERVED, REASONS: ("stop",)} if reading is events else dict.fromkeys((INPUT, REASONS))
    assert expected == {name: attributes.get(name) for name in expected}


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_the_filter_of_a_stream_keeps_no_event_that_is_too_large(encoding: str) -> None:
    """What is over the limit passes as it came, and is not kept; 199 KiB that are 200 MiB neither."""
    event = b"data: " + b'{"usage": null' * (200 << 16) + b"\n\n"
    headers = {"content-type": "text/event-stream", "content-encoding": encoding}
    body = gzip.compress(event) if encoding == "gzip" else event
    passing, digest = BytesFilter(STREAM_USAGE, headers), sha256()
    unpacked = zlib.decompressobj(31).decompress if encoding == "gzip" else bytes
    tracemalloc.start()

    for at in range(0, len(body), 1 << 16):
        for piece in passing.take(body[at : at + (1 << 16)]):
            digest.update(unpacked(piece))
    for piece in passing.rest(True):
        digest.update(unpacked(piece))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sha256(event).digest() == digest.digest()
    assert peak < 8 * LARGEST

"""What servers answer: whole and ordinary, odd, cut, of the wrong type, in pieces split anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from differential.endpoints import Endpoint
from differential.recipes import JSON
from differential.trees import changed
from loopback.replies import Plan

NO_CONTENT = 204  # which has no body: with one, the next answer of the connection would be a part of it


@dataclass(frozen=True)
class Wire:
    """An answer as it stands on the wire."""

    status: int
    media: str
    pieces: tuple[bytes, ...]
    end: Any = "complete"
    sent: int | None = None
    streamed: bool = False
    gzip: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def plan(self) -> Plan:
        """The answer, ready to be carried out. An empty piece would end a body in chunks."""
        pieces = tuple(piece for piece in self.pieces if piece and self.status != NO_CONTENT)
        return Plan(
            self.status,
            {"content-type": self.media, "retry-after-ms": "1", **self.headers},
            pieces,
            # Without a body there is nothing to cut: whether the client sees the connection close would be left to chance.
            end="complete" if self.status == NO_CONTENT else self.end,
            sent=self.sent,
            streamed=self.streamed,
            gzip=self.gzip and self.status != NO_CONTENT,
        )


NOISE = st.sampled_from(
    [
        b": comment\n\n", b"\n", b"data:\n\n", b"data: {\n\n", b"data: null\n\n", b"data: 5\n\n", b"data: [1]\n\n", b'data: "x"\n\n',
        b"event: ping\n\n", b"event: error\ndata: {}\n\n", b'data: {"error": "x"}\n\n', b'data: {"error": {"message": "no", "code": "c"}}\n\n',
        b'event: unknown\ndata: {"type": "unknown"}\n\n', b"id: 1\nretry: 5\n\n", b"data: [DONE]\n\n", b"\xff\xfe\n\n", b'data: {"a":\ndata: 1}\n\n',
        b"\xef\xbb\xbf", b"data: \r\n\r\n", b"{}\n", b"null\n", b'{"error": "no"}\n', b"[1]\n", b"not json\n",
    ]
)  # fmt: skip
MEDIA = st.sampled_from(
    [
        "application/json",
        "text/event-stream",
        "text/plain",
        "text/html",
        "application/x-ndjson",
        "",
        "application/json; charset=utf-16",
        "odd",
    ]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "x-request-id",
            "request-id",
            "openai-processing-ms",
            "anthropic-organization-id",
            "x-ratelimit-remaining-requests",
            "x-litellm-response-cost",
        ]
    ),
    st.sampled_from(["req_1", "", "5", "é".encode().decode("latin-1"), "NaN", "-1", "x" * 2000]),
    max_size=2,
)
STATUSES = st.sampled_from([200, 200, 200, 200, 200, 200, 201, 204, 400, 401, 404, 422, 429, 500, 503, 529])


@st.composite
def split(draw: st.DrawFn, body: bytes) -> tuple[bytes, ...]:
    """A body in pieces, split anywhere."""
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=4)))
    edges = [0, *cuts, len(body)]
    return tuple(body[start:stop] for start, stop in pairwise(edges))


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@st.composite
def plain(draw: st.DrawFn, endpoint: Endpoint) -> Wire:
    """An answer to a call that is no stream."""
    status = draw(STATUSES)
    kind = draw(st.sampled_from(["changed", "changed", "changed", "changed", "json", "bytes", "error"]))
    if kind == "changed":
        body = _encoded(draw(changed(endpoint.answer, JSON, 3)))
    elif kind == "json":
        body = _encoded(draw(JSON))
    elif kind == "bytes":
        body = draw(
            st.one_of(st.binary(max_size=20), st.just(b"<html>no</html>"), st.just(_encoded(endpoint.answer)[:-9]))
        )
    else:
        body = _encoded(draw(changed({"error": {"message": "no", "type": "t", "code": "c", "param": None}}, JSON)))
    media = draw(st.one_of(st.just("application/json"), st.just("application/json"), MEDIA))
    end = draw(st.sampled_from(["complete"] * 8 + ["cut"]))
    return Wire(
        status, media, draw(split(body)), end, gzip=draw(st.booleans()) and end == "complete", headers=draw(HEADERS)
    )


@st.composite
def streamed(draw: st.DrawFn, endpoint: Endpoint) -> Wire:
    """An answer to a call that asks for a stream."""
    chunks = draw(changed(list(endpoint.chunks), JSON, 3))
    frames = [endpoint.framed(chunk) for chunk in chunks]
    for _ in range(draw(st.integers(0, 2))):
        frames.insert(draw(st.integers(0, len(frames))), draw(NOISE))
    if draw(st.integers(0, 4)):
        frames.append(endpoint.last)
    pieces = tuple(frames) if draw(st.booleans()) else draw(split(b"".join(frames)))
    status = draw(st.one_of(st.just(200), st.just(200), STATUSES))
    media = draw(st.one_of(st.just(endpoint.media), st.just(endpoint.media), st.just(endpoint.media), MEDIA))
    end = draw(st.sampled_from(["complete"] * 6 + ["cut", "early"]))
    sent = None if end == "complete" else draw(st.integers(0, max(len(pieces) - 1, 0)))
    return Wire(status, media, pieces, end, sent, streamed=True, gzip=draw(st.booleans()), headers=draw(HEADERS))

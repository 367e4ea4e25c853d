"""Message batches, by Anthropic's API reference: `POST /v1/messages/batches`, and `GET` of one of them and of its results."""

from __future__ import annotations

from typing import Any

from .._adapter.anthropic_api.messages import USAGE, failure
from .._adapter.endpoint import Endpoint
from .._adapter.fields import count, field, length, member, string, table
from .._adapter.results import Inference, Results
from .._conventions import names, operation_kinds

_MODULES = ("resources.messages.batches", "resources.beta.messages.batches")


def _methods(name: str) -> tuple[str, ...]:
    """Return the SDK's methods of this name that are about batches."""
    return tuple(f"{module}:{kind}.{name}" for module in _MODULES for kind in ("Batches", "AsyncBatches"))


_OUTCOMES = (
    field(names.ANTHROPIC_BATCH_SUCCEEDED, count, "request_counts.succeeded"),
    field(names.ANTHROPIC_BATCH_ERRORED, count, "request_counts.errored"),
    field(names.ANTHROPIC_BATCH_CANCELED, count, "request_counts.canceled"),
    field(names.ANTHROPIC_BATCH_EXPIRED, count, "request_counts.expired"),
)
_BATCH = table(
    field(names.ANTHROPIC_BATCH_ID, string, "id"),
    field(names.ANTHROPIC_BATCH_STATUS, string, "processing_status"),
    field(names.ANTHROPIC_BATCH_PROCESSING, count, "request_counts.processing"),
    *_OUTCOMES,
)
_INFERENCE = table(field(names.RESPONSE_MODEL, string, "model"), *USAGE)


class ResultLines:
    """Counts the results of a batch by their outcomes. Of their messages it keeps the last one, and no content."""

    __slots__ = ("_counts", "_message", "_position")

    def __init__(self, _content: bool) -> None:
        self._counts = dict.fromkeys(("succeeded", "errored", "canceled", "expired"), 0)
        self._message: Any = None
        self._position = 0

    def add(self, line: Any) -> None:
        """Add the result of one request."""
        result = member(line, "result")
        outcome = string(member(result, "type"))
        self._position += 1
        self._message = member(result, "message")
        if outcome in self._counts:
            self._counts[outcome] += 1

    def result(self) -> dict[str, Any]:
        """Return the counts so far, and the message of the last result."""
        return {"request_counts": self._counts, "position": self._position, "message": self._message}


def _latest(response: Any) -> Inference | None:
    message, position = member(response, "message"), count(member(response, "position"))
    return None if message is None or position is None else Inference(position, _INFERENCE.read(message))


CREATE_BATCH = Endpoint(
    kind=operation_kinds.CREATE_BATCH,
    methods=_methods("create"),
    request=table(field(names.ANTHROPIC_BATCH_REQUEST_COUNT, length, "requests")),
    response=_BATCH,
    failure=failure,
    task=names.ANTHROPIC_BATCH_ID,
    creates_task=lambda _response: True,
)
FETCH_BATCH = Endpoint(
    kind=operation_kinds.FETCH_BATCH,
    methods=_methods("retrieve"),
    input="parameters",
    request=table(field(names.ANTHROPIC_BATCH_ID, string, "message_batch_id")),
    response=_BATCH,
    failure=failure,
    task=names.ANTHROPIC_BATCH_ID,
)
BATCH_RESULTS = Endpoint(
    kind=operation_kinds.BATCH_RESULTS,
    methods=_methods("results"),
    input="parameters",
    request=table(field(names.ANTHROPIC_BATCH_ID, string, "message_batch_id")),
    response=table(*_OUTCOMES),
    failure=failure,
    task=names.ANTHROPIC_BATCH_ID,
    accumulator=ResultLines,
    results=Results(names.ANTHROPIC_BATCH_ID, _latest),
    lines=True,
)

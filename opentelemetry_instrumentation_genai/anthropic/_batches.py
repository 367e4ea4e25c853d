"""Message batches, by Anthropic's API reference: `POST /v1/messages/batches`, and `GET` of one of them."""

from __future__ import annotations

from typing import Any

from .._adapter.endpoint import Endpoint
from .._adapter.fields import count, field, string, table
from .._conventions import names, operation_kinds
from ._messages import failure

_MODULES = ("resources.messages.batches", "resources.beta.messages.batches")


def _methods(name: str) -> tuple[str, ...]:
    """Return the SDK's methods of this name that are about batches."""
    return tuple(f"{module}:{kind}.{name}" for module in _MODULES for kind in ("Batches", "AsyncBatches"))


def _length(requests: Any) -> int | None:
    return len(requests) if isinstance(requests, (list, tuple)) else None


_BATCH = table(
    field(names.ANTHROPIC_BATCH_ID, string, "id"),
    field(names.ANTHROPIC_BATCH_STATUS, string, "processing_status"),
    field(names.ANTHROPIC_BATCH_PROCESSING, count, "request_counts.processing"),
    field(names.ANTHROPIC_BATCH_SUCCEEDED, count, "request_counts.succeeded"),
    field(names.ANTHROPIC_BATCH_ERRORED, count, "request_counts.errored"),
    field(names.ANTHROPIC_BATCH_CANCELED, count, "request_counts.canceled"),
    field(names.ANTHROPIC_BATCH_EXPIRED, count, "request_counts.expired"),
)

CREATE_BATCH = Endpoint(
    kind=operation_kinds.CREATE_BATCH,
    methods=_methods("create"),
    request=table(field(names.ANTHROPIC_BATCH_REQUEST_COUNT, _length, "requests")),
    response=_BATCH,
    failure=failure,
)
FETCH_BATCH = Endpoint(
    kind=operation_kinds.FETCH_BATCH,
    methods=_methods("retrieve"),
    input="parameters",
    request=table(field(names.ANTHROPIC_BATCH_ID, string, "message_batch_id")),
    response=_BATCH,
    failure=failure,
)

"""Batches of requests: `POST /batches` and `GET /batches/{id}`, by OpenAI's API reference."""

from __future__ import annotations

from dataclasses import replace

from ..._conventions import names, operation_kinds
from ..endpoint import Endpoint
from ..fields import count, field, string, table
from .common import failure

CREATE_BATCH = Endpoint(
    kind=operation_kinds.CREATE_BATCH,
    request=table(),
    response=table(
        field(names.OPENAI_BATCH_ID, string, "id"),
        field(names.OPENAI_BATCH_STATUS, string, "status"),
        field(names.OPENAI_BATCH_COMPLETED, count, "request_counts.completed"),
        field(names.OPENAI_BATCH_FAILED, count, "request_counts.failed"),
        field(names.OPENAI_BATCH_TOTAL, count, "request_counts.total"),
        field(names.RESPONSE_MODEL, string, "model"),
    ),
    failure=failure,
    task=names.OPENAI_BATCH_ID,
    creates_task=lambda _response: True,
)
FETCH_BATCH = replace(
    CREATE_BATCH,
    kind=operation_kinds.FETCH_BATCH,
    input="parameters",
    request=table(field(names.OPENAI_BATCH_ID, string, "id")),
    creates_task=None,
)

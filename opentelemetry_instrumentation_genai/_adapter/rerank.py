"""Ranking of documents by their relevance to a query: `POST /rerank`, by Together's API reference; other providers have it alike."""

from __future__ import annotations

from .._conventions import names, operation_kinds
from .endpoint import Endpoint
from .fields import count, field, string, table
from .openai_api.common import failure

RERANK = Endpoint(
    kind=operation_kinds.RERANK,
    request=table(),
    response=table(
        field(names.RESPONSE_ID, string, "id"),
        field(names.RESPONSE_MODEL, string, "model"),
        field(names.USAGE_INPUT_TOKENS, count, "usage.prompt_tokens"),
    ),
    failure=failure,
    unread=frozenset({"results"}),
)

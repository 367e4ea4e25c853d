"""Embeddings: `POST /embeddings`, by OpenAI's API reference."""

from __future__ import annotations

from ..._conventions import names, operation_kinds
from ..endpoint import Endpoint
from ..fields import count, field, integer, string, strings, table
from .common import failure

EMBEDDINGS = Endpoint(
    kind=operation_kinds.EMBEDDINGS,
    request=table(
        field(names.REQUEST_ENCODING_FORMATS, strings, "encoding_format"),
        field(names.EMBEDDINGS_DIMENSION_COUNT, integer, "dimensions"),
    ),
    response=table(
        field(names.RESPONSE_MODEL, string, "model"),
        field(names.USAGE_INPUT_TOKENS, count, "usage.prompt_tokens"),
    ),
    failure=failure,
    unread=frozenset({"data"}),
)

"""Embeddings: `POST /embeddings`, by OpenAI's API reference."""

from __future__ import annotations

from .._adapter.endpoint import Endpoint
from .._adapter.fields import count, field, integer, string, strings, table
from .._conventions import names, operation_kinds
from ._common import failure

EMBEDDINGS = Endpoint(
    kind=operation_kinds.EMBEDDINGS,
    methods=("resources.embeddings:Embeddings.create", "resources.embeddings:AsyncEmbeddings.create"),
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

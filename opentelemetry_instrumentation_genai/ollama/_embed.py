"""Embeddings: `POST /api/embed` and its predecessor `POST /api/embeddings`, by Ollama's API reference."""

from __future__ import annotations

from .._adapter.endpoint import Endpoint
from .._adapter.fields import field, integer, table
from .._conventions import names, operation_kinds
from ._common import RESPONSE, TIMED, server_timings

EMBED = Endpoint(
    kind=operation_kinds.EMBEDDINGS,
    methods=("_client:Client.embed", "_client:AsyncClient.embed"),
    request=table(field(names.EMBEDDINGS_DIMENSION_COUNT, integer, "dimensions")),
    response=table(*RESPONSE),
    timings=server_timings,
    timed=TIMED,
    unread=frozenset({"embeddings", "embedding"}),
)

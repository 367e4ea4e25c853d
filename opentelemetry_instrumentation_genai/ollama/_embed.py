"""Embeddings: `POST /api/embed` and its predecessor `POST /api/embeddings`, by Ollama's API reference."""

from __future__ import annotations

from .._adapter.fields import field, integer, table
from .._adapter.operation import Operation
from .._conventions import names
from ._common import RESPONSE, server_timings

EMBED = Operation(
    name="embeddings",
    methods=("_client:Client.embed", "_client:AsyncClient.embed"),
    request=table(field(names.EMBEDDINGS_DIMENSION_COUNT, integer, "dimensions")),
    response=table(*RESPONSE),
    timings=server_timings,
    unread=frozenset({"embeddings", "embedding"}),
    details=False,
)

"""Embeddings: `models.batchEmbedContents` and `models.embedContent`, and `predict` of Vertex AI, by the API references."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..._adapter.endpoint import Endpoint
from ..._adapter.fields import count, field, integer, member, table
from ..._conventions import names, operation_kinds
from ._bodies import spelled
from ._generate_content import failure
from ._usage import INPUT


def _dimensions(config: Any) -> int | None:
    return integer(spelled(config).get("outputDimensionality"))


def _first_dimensions(requests: Any) -> int | None:
    """Return the dimensions of a batch, of which each entry has the same."""
    first = spelled(requests[0]) if isinstance(requests, list) and requests else {}
    return _dimensions(first) or _dimensions(first.get("embedContentConfig"))


def _tokens_of_predictions(predictions: Any) -> int | None:
    """Return the count of input tokens, which `predict` reports with each embedding."""
    entries = predictions if isinstance(predictions, list) else ()
    statistics = (spelled(member(member(entry, "embeddings"), "statistics")) for entry in entries)
    found = [tokens for one in statistics if (tokens := count(one.get("tokenCount"))) is not None]
    return count(sum(found)) if found else None


EMBED_CONTENT = Endpoint(
    kind=operation_kinds.EMBEDDINGS,
    methods=("models:Models.embed_content", "models:AsyncModels.embed_content"),
    messages="requests",
    request=table(
        field(names.EMBEDDINGS_DIMENSION_COUNT, _first_dimensions, "requests"),
        field(names.EMBEDDINGS_DIMENSION_COUNT, integer, "outputDimensionality"),
        field(names.EMBEDDINGS_DIMENSION_COUNT, _dimensions, "embedContentConfig"),
        field(names.EMBEDDINGS_DIMENSION_COUNT, _dimensions, "parameters"),
    ),
    response=table(INPUT),
    failure=failure,
    unread=frozenset({"embedding", "embeddings"}),
)
EMBED_PREDICTED = replace(
    EMBED_CONTENT,
    messages="instances",
    response=table(field(names.USAGE_INPUT_TOKENS, _tokens_of_predictions, "predictions")),
    unread=frozenset(),
)

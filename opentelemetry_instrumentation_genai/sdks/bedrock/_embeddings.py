"""Embeddings of Amazon Titan and Nova, and of Cohere, by AWS's pages of their parameters."""

from __future__ import annotations

from ..._adapter.endpoint import Endpoint
from ..._adapter.fields import count, field, integer, string, strings, table
from ..._conventions import names, operation_kinds

EMBEDDINGS = Endpoint(
    kind=operation_kinds.EMBEDDINGS,
    request=table(
        *(
            field(names.EMBEDDINGS_DIMENSION_COUNT, integer, name)
            for name in (
                "dimensions",
                "output_dimension",
                "embeddingConfig.outputEmbeddingLength",
                "singleEmbeddingParams.embeddingDimension",
            )
        ),
        field(names.REQUEST_ENCODING_FORMATS, strings, "embeddingTypes"),
        field(names.REQUEST_ENCODING_FORMATS, strings, "embedding_types"),
    ),
    response=table(
        field(names.RESPONSE_ID, string, "id"),
        field(names.USAGE_INPUT_TOKENS, count, "inputTextTokenCount"),
    ),
    unread=frozenset({"embedding", "embeddings", "embeddingsByType", "texts", "images"}),
)

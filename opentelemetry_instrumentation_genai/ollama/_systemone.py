"""Scores of the answers to questions about a state: `POST /v1/systemone`, by the code of Ollama's SDK."""

from __future__ import annotations

from .._adapter.endpoint import Endpoint
from .._adapter.fields import count, field, string, table
from .._conventions import names, operation_kinds

SYSTEMONE = Endpoint(
    kind=operation_kinds.DECISION,
    methods=("_client:Client.systemone", "_client:AsyncClient.systemone"),
    request=table(),
    response=table(
        field(names.RESPONSE_MODEL, string, "model"),
        field(names.USAGE_INPUT_TOKENS, count, "usage.input_tokens"),
        field(names.USAGE_OUTPUT_TOKENS, count, "usage.output_tokens"),
    ),
    unread=frozenset({"answers"}),
)

"""Answers to questions about an input, with their probabilities: `POST /decisions`, by OpenAI's API reference."""

from __future__ import annotations

from .._adapter.endpoint import Endpoint
from .._adapter.fields import field, string, table
from .._adapter.openai_api.common import failure
from .._adapter.openai_api.responses import RESPONSE_USAGE
from .._conventions import names, operation_kinds

DECISIONS = Endpoint(
    kind=operation_kinds.DECISION,
    request=table(),
    response=table(field(names.RESPONSE_MODEL, string, "model"), *RESPONSE_USAGE),
    failure=failure,
    unread=frozenset({"answers"}),
)

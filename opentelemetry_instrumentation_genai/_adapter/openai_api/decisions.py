"""Answers to questions about an input, with their probabilities: `POST /decisions`, by OpenAI's API reference."""

from __future__ import annotations

from ..._conventions import names, operation_kinds
from ..endpoint import Endpoint
from ..fields import field, string, table
from .common import failure
from .responses import RESPONSE_USAGE

DECISIONS = Endpoint(
    kind=operation_kinds.DECISION,
    request=table(),
    response=table(field(names.RESPONSE_MODEL, string, "model"), *RESPONSE_USAGE),
    failure=failure,
    unread=frozenset({"answers"}),
)

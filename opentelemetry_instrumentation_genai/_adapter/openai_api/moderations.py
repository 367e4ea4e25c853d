"""Moderation of texts and images: `POST /moderations`, by OpenAI's API reference."""

from __future__ import annotations

from ..._conventions import names, operation_kinds
from ..endpoint import Endpoint
from ..fields import field, string, table
from .common import failure

MODERATIONS = Endpoint(
    kind=operation_kinds.MODERATION,
    request=table(),
    response=table(
        field(names.RESPONSE_ID, string, "id"),
        field(names.RESPONSE_MODEL, string, "model"),
    ),
    failure=failure,
    unread=frozenset({"results"}),
)

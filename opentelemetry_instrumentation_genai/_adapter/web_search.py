"""Searches of the web: `POST /search`, by Perplexity's API reference."""

from __future__ import annotations

from .._conventions import names, operation_kinds
from .endpoint import Endpoint
from .fields import field, string, table
from .openai_api.common import failure

SEARCH = Endpoint(
    kind=operation_kinds.WEB_SEARCH,
    request=table(),
    response=table(field(names.RESPONSE_ID, string, "id")),
    failure=failure,
    unread=frozenset({"results"}),
)

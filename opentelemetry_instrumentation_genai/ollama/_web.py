"""Searches of the web and pages of it, by the code of Ollama's SDK, which sends both to `https://ollama.com`."""

from __future__ import annotations

from .._adapter.endpoint import Endpoint
from .._adapter.fields import count, field, length, table
from .._conventions import names, operation_kinds

WEB_SEARCH = Endpoint(
    kind=operation_kinds.WEB_SEARCH,
    methods=("_client:Client.web_search", "_client:AsyncClient.web_search"),
    request=table(field(names.OLLAMA_MAX_RESULTS, count, "max_results")),
    response=table(field(names.OLLAMA_RESULT_COUNT, length, "results")),
)
WEB_FETCH = Endpoint(
    kind=operation_kinds.WEB_FETCH,
    methods=("_client:Client.web_fetch", "_client:AsyncClient.web_fetch"),
    request=table(),
    response=table(),
    unread=frozenset({"content", "links"}),
)

"""The endpoints of the API and their operations. Calls of other endpoints are not instrumented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._chat import CHAT
from ._embed import EMBED
from ._generate import GENERATE
from ._systemone import SYSTEMONE
from ._web import WEB_FETCH, WEB_SEARCH

if TYPE_CHECKING:
    from .._adapter.endpoint import Endpoint

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("post", "/api/chat"): CHAT,
    ("post", "/api/generate"): GENERATE,
    ("post", "/api/embed"): EMBED,
    ("post", "/api/embeddings"): EMBED,
    ("post", "/v1/systemone"): SYSTEMONE,
    ("post", "/api/web_search"): WEB_SEARCH,
    ("post", "/api/web_fetch"): WEB_FETCH,
}

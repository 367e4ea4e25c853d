"""The endpoints of the API and their operations: (method, path with `{id}` for an id) -> operation.

Calls of other endpoints are not instrumented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._chat import CHAT
from ._completions import COMPLETIONS
from ._embeddings import EMBEDDINGS
from ._responses import FETCH_RESPONSE, RESPONSES

if TYPE_CHECKING:
    from .._adapter.endpoint import Endpoint

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("post", "/chat/completions"): CHAT,
    ("post", "/completions"): COMPLETIONS,
    ("post", "/embeddings"): EMBEDDINGS,
    ("post", "/responses"): RESPONSES,
    ("get", "/responses/{id}"): FETCH_RESPONSE,
}

"""The endpoints of the API and their operations: (method, path with `*` for an id) -> operation.

Calls of other endpoints are not instrumented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._chat import CHAT
from ._completions import COMPLETIONS
from ._embeddings import EMBEDDINGS
from ._responses import FETCH_RESPONSE, RESPONSES

if TYPE_CHECKING:
    from .._adapter.operation import Operation

ROUTES: dict[tuple[str, str], Operation] = {
    ("post", "/chat/completions"): CHAT,
    ("post", "/completions"): COMPLETIONS,
    ("post", "/embeddings"): EMBEDDINGS,
    ("post", "/responses"): RESPONSES,
    ("get", "/responses/*"): FETCH_RESPONSE,
}

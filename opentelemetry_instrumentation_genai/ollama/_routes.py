"""The endpoints of the API and their operations. Calls of other endpoints are not instrumented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._chat import CHAT
from ._embed import EMBED
from ._generate import GENERATE

if TYPE_CHECKING:
    from .._adapter.operation import Operation

ROUTES: dict[tuple[str, str], Operation] = {
    ("POST", "/api/chat"): CHAT,
    ("POST", "/api/generate"): GENERATE,
    ("POST", "/api/embed"): EMBED,
    ("POST", "/api/embeddings"): EMBED,
}

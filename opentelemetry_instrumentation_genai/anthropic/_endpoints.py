"""The endpoints of the API and their operations: (method, path) -> operation.

Calls of other endpoints are not instrumented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._adapter.anthropic_api.count_tokens import COUNT_TOKENS
from .._adapter.anthropic_api.messages import MESSAGES
from ._batches import BATCH_RESULTS, CREATE_BATCH, FETCH_BATCH
from ._completions import COMPLETIONS

if TYPE_CHECKING:
    from .._adapter.endpoint import Endpoint

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("post", "/v1/messages"): MESSAGES,
    ("post", "/v1/messages/count_tokens"): COUNT_TOKENS,
    ("post", "/v1/messages/batches"): CREATE_BATCH,
    ("get", "/v1/messages/batches/{message_batch_id}"): FETCH_BATCH,
    ("get", "/v1/messages/batches/{message_batch_id}/results"): BATCH_RESULTS,
    ("post", "/v1/complete"): COMPLETIONS,
}

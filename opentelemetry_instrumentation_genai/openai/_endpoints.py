"""The endpoints of the SDK that are followed: (method, path with `{name}` for an id) -> endpoint.

Calls of other endpoints are not instrumented.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from .._adapter.openai_api.audio import SPEECH, TRANSCRIPTIONS
from .._adapter.openai_api.batches import CREATE_BATCH, FETCH_BATCH
from .._adapter.openai_api.chat import CHAT
from .._adapter.openai_api.completions import COMPLETIONS
from .._adapter.openai_api.embeddings import EMBEDDINGS
from .._adapter.openai_api.images import IMAGE_VARIATIONS, IMAGES
from .._adapter.openai_api.moderations import MODERATIONS
from .._adapter.openai_api.response_operations import CANCEL_RESPONSE, COMPACT_RESPONSE, COUNT_TOKENS
from .._adapter.openai_api.responses import FETCH_RESPONSE, RESPONSES
from .._adapter.openai_api.vector_stores import VECTOR_STORE_SEARCH
from ._decisions import DECISIONS

if TYPE_CHECKING:
    from .._adapter.endpoint import Endpoint


def _called_by(endpoint: Endpoint, module: str, kind: str, method: str) -> Endpoint:
    """Return the endpoint with the methods of the SDK that make its calls."""
    path = f"resources.{module}"
    return dataclasses.replace(endpoint, methods=(f"{path}:{kind}.{method}", f"{path}:Async{kind}.{method}"))


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("post", "/chat/completions"): _called_by(CHAT, "chat.completions", "Completions", "create"),
    ("post", "/completions"): _called_by(COMPLETIONS, "completions", "Completions", "create"),
    ("post", "/embeddings"): _called_by(EMBEDDINGS, "embeddings", "Embeddings", "create"),
    ("post", "/responses"): _called_by(RESPONSES, "responses", "Responses", "create"),
    ("get", "/responses/{id}"): _called_by(FETCH_RESPONSE, "responses", "Responses", "retrieve"),
    ("post", "/responses/compact"): _called_by(COMPACT_RESPONSE, "responses", "Responses", "compact"),
    ("post", "/responses/input_tokens"): _called_by(COUNT_TOKENS, "responses.input_tokens", "InputTokens", "count"),
    ("post", "/responses/{id}/cancel"): _called_by(CANCEL_RESPONSE, "responses", "Responses", "cancel"),
    ("post", "/images/generations"): _called_by(IMAGES, "images", "Images", "generate"),
    ("post", "/images/edits"): _called_by(IMAGES, "images", "Images", "edit"),
    ("post", "/images/variations"): _called_by(IMAGE_VARIATIONS, "images", "Images", "create_variation"),
    ("post", "/audio/transcriptions"): _called_by(TRANSCRIPTIONS, "audio.transcriptions", "Transcriptions", "create"),
    ("post", "/audio/translations"): _called_by(TRANSCRIPTIONS, "audio.translations", "Translations", "create"),
    ("post", "/audio/speech"): _called_by(SPEECH, "audio.speech", "Speech", "create"),
    ("post", "/batches"): _called_by(CREATE_BATCH, "batches", "Batches", "create"),
    ("get", "/batches/{id}"): _called_by(FETCH_BATCH, "batches", "Batches", "retrieve"),
    ("post", "/moderations"): _called_by(MODERATIONS, "moderations", "Moderations", "create"),
    ("post", "/vector_stores/{id}/search"): _called_by(VECTOR_STORE_SEARCH, "vector_stores", "VectorStores", "search"),
    ("post", "/decisions"): _called_by(DECISIONS, "decisions", "Decisions", "create"),
}
